"""The overview: whether the river flows, and where it does not."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import Org
from headrace.console.flow import HOUR, Period, Point, Span, Sums, begin, flow, lately, period, sums, worst
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.watching.history import Sample
from headrace.console.watching.seen import Seen, line, seen
from headrace.console.watching.watch import Watched
from headrace.core.report import Line
from headrace.eventlog.counting import Counter
from headrace.eventlog.pages import ExceptionQuery, ExceptionSummary
from headrace.model.mark import NOBODY

WORST = 8
"""Orgs and exceptions that are shown."""

LOOKED_AT = 200
"""Orgs at destinations from which the worst orgs are taken."""

_SECONDS: dict[Span, float] = {"1h": 3600.0, "6h": 21_600.0, "24h": 86_400.0, "7d": 604_800.0}


class OverviewAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Of which org, and how far back."""

    org: Org | None = None
    range: Annotated[Span, Meta(description="How far back the graphs go.")] = "1h"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One org whose events were retried or died in the last hour or two, and its columns of the books."""

    org: str
    sums: Sums
    books: Line | None


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """How many records wait on one tier."""

    tier: str
    records: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """*books* are the columns of the audit, None before it was made; *sums* what was counted in the range, None while
    nothing of it was.

    *lag*, *lag_seconds*, *tiers*, *depth* (looks at the river since the console started) and *worst* are operators'.
    What *worst* tells begins at *worst_since*. *log_trouble* says why what the event log has is missing.
    """

    period: Period
    books: Line | None
    sums: Sums | None
    points: Sequence[Point]
    exceptions: Sequence[ExceptionSummary]
    lag: int | None = None
    lag_seconds: float | None = None
    tiers: Sequence[Tier] = ()
    depth: Sequence[Sample] = ()
    worst: Sequence[Trouble] = ()
    worst_since: int = 0
    seen: Seen
    log_trouble: str = ""


def read_overview(ask: OverviewAsk, sources: Sources) -> Overview:
    """Return the overview of *org*, or of all."""
    watched, now = sources.watch.latest(), sources.clock.wall()
    asked = period(sources, ask.range)
    counted = lately(sources, ask.org, _SECONDS[ask.range])
    failures = ExceptionQuery(org=ask.org, since=now - _SECONDS[ask.range], limit=WORST)
    river = watched.river if ask.org is None else None
    return Overview(
        period=asked,
        books=line(watched, ask.org),
        sums=None if counted is None else sums(counted),
        points=flow(sources, ask.org, None, asked),
        exceptions=sources.log.find_exceptions(failures).rows,
        lag=river.events.lag if river else None,
        lag_seconds=river.lag_seconds if river else None,
        tiers=[Tier(tier=topic.tier or topic.name, records=topic.lag or 0) for topic in river.tiers] if river else (),
        depth=sources.watch.history.between(asked.since, now, max(2.0, asked.step / 10)) if ask.org is None else (),
        worst=_worst(worst(sources, LOOKED_AT), watched) if ask.org is None else (),
        worst_since=int(begin(now, HOUR)),
        seen=seen(watched, ask.org),
    )


def _worst(counted: Sequence[Counter], watched: Watched) -> Sequence[Trouble]:
    """Return the orgs with trouble, those that lost most first."""
    orgs: dict[str, list[Counter]] = {}
    for each in counted:
        if each.org != NOBODY or each.dead:
            orgs.setdefault(each.org, []).append(each)
    found = [Trouble(org=org, sums=sums(each), books=line(watched, org)) for org, each in orgs.items()]
    troubled = [each for each in found if each.sums.dead or each.sums.retried or each.sums.failed]
    return sorted(troubled, key=lambda each: (-each.sums.dead, -each.sums.retried, -each.sums.failed, each.org))[:WORST]


OVERVIEW = View(
    name="overview",
    path="/",
    title="Overview",
    ask=OverviewAsk,
    answer=Overview,
    read=read_overview,
    outlives_log=True,
    group="River",
    help="Whether the river flows: what came in, what was delivered, what waits, and what is wrong.",
)
