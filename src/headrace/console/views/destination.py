"""One destination, for all orgs or for one: how it stands, its latest attempts, its settings."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headrace.console.fields import Destination, Limit, Org, Time
from headrace.console.flow import Period, Point, Span, at_destination, flow, lately, period
from headrace.console.rehearsals import Rehearsal
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.viewer import Absent
from headrace.console.views.destinations import DestinationLine, destination_line, waiting_for
from headrace.console.watching.condition import LATELY, parked
from headrace.console.watching.recent import Lane, Recent, Tried
from headrace.console.watching.seen import Seen, seen
from headrace.model.mark import NOBODY
from headrace.model.pause import Pause

LANES = 50
"""Orgs that the overview of a destination shows, those that fail longest first."""


Id = Annotated[str, Meta(max_length=64)]


class DestinationAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which destination, for which org, and what of it."""

    destination: Destination
    org: Org | None = None
    tab: Annotated[Literal["overview", "attempts", "settings"], Meta(description="What of it.")] = "overview"
    range: Annotated[Span, Meta(description="How far back the graphs go.")] = "1h"
    failed: Annotated[bool, Meta(description="Only attempts of which something was not delivered.")] = False
    since: Annotated[Time | None, Meta(description="Only attempts begun at or after this time.")] = None
    until: Annotated[Time | None, Meta(description="Only attempts begun before this time.")] = None
    test: Annotated[Id | None, Meta(description="The id of a test send that is to be shown.")] = None
    limit: Limit = 100


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the configuration; secrets are `***`."""

    key: str
    value: str
    origin: str


class DestinationPage(msgspec.Struct, frozen=True, kw_only=True):
    """*lanes* are orgs, *attempts* the latest that the console has seen; *pauses* those that are about it. A lane whose
    last post was *quiet_before* that time is quiet, and of one in *parked* the events hop past it without a post.

    *settings* are for operators. *log_trouble* says why what the event log has is missing.
    """

    line: DestinationLine
    period: Period
    points: Sequence[Point] = ()
    lanes: Sequence[Lane] = ()
    parked: Sequence[str] = ()
    quiet_before: float = 0.0
    attempts: Sequence[Tried] = ()
    settings: Sequence[Setting] = ()
    pauses: Sequence[Pause] = ()
    test: Rehearsal | None = None
    seen: Seen
    log_trouble: str = ""


def read_destination(ask: DestinationAsk, sources: Sources) -> DestinationPage:
    """Return one destination; raise `Absent` for one that there is not, or that is not on the org's route."""
    watched, recent = sources.watch.latest(), sources.watch.recent
    check(ask.destination, ask.org, sources)
    asked, hour = period(sources, ask.range), at_destination(lately(sources, ask.org), ask.destination)
    line = destination_line(sources, watched, ask.destination, ask.org, hour)
    lane = NOBODY if line.shared else ask.org
    page = DestinationPage(
        quiet_before=sources.clock.wall() - LATELY,
        line=line,
        period=asked,
        pauses=[each for each in watched.pauses.values() if _concerns(each, ask)],
        test=_test(ask, sources),
        seen=seen(watched, ask.org),
    )
    if ask.tab == "attempts":
        # What all orgs share has attempts that carry everybody's events: an org's viewer sees none of them.
        hidden = line.shared and ask.org is not None
        found = () if hidden else _attempts(ask, lane, recent)
        return msgspec.structs.replace(page, attempts=found)
    if ask.tab == "settings":
        return msgspec.structs.replace(page, settings=_settings(ask, sources))
    lanes = () if line.shared else recent.lanes(ask.destination, ask.org)[:LANES]
    failing = [lane for lane in lanes if lane.failing_since is not None]
    return msgspec.structs.replace(
        page,
        points=flow(sources, ask.org, ask.destination, asked),
        lanes=lanes,
        parked=sorted(parked(failing, waiting_for(watched, ask.destination, ask.org))),
    )


def _attempts(ask: DestinationAsk, lane: str | None, recent: Recent) -> Sequence[Tried]:
    return recent.latest(ask.destination, lane, failed=ask.failed, since=ask.since, until=ask.until, limit=ask.limit)


def check(destination: str, org: str | None, sources: Sources) -> None:
    """Raise `Absent` unless *destination* is one of *org*'s, or one at all."""
    books = sources.watch.latest().books
    configured = sources.facts.destinations if org is None else sources.facts.destinations_of(org)
    if destination not in configured and (books is None or destination not in books.of(org).destinations):
        raise Absent("there is nothing here")


def _concerns(pause: Pause, ask: DestinationAsk) -> bool:
    return pause.destination == ask.destination and (ask.org is None or pause.org in {None, ask.org})


def _test(ask: DestinationAsk, sources: Sources) -> Rehearsal | None:
    found = sources.rehearsals.get(ask.test) if ask.test else None
    if found is None or found.destination != ask.destination or (ask.org is not None and found.org != ask.org):
        return None
    return found


def _settings(ask: DestinationAsk, sources: Sources) -> Sequence[Setting]:
    if ask.org is not None:
        return ()
    head = f"destinations.{ask.destination}."
    return [
        Setting(key=path.removeprefix(head), value=text_of(shown.value), origin=shown.origin)
        for path, shown in sources.facts.settings.items()
        if path.startswith(head)
    ]


def text_of(value: object) -> str:
    """Return a setting as text: what is text itself, else JSON, in which secrets are hidden."""
    return value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()


DESTINATION = View(
    name="destination",
    path="/destinations/{destination}",
    title="Destination",
    ask=DestinationAsk,
    answer=DestinationPage,
    read=read_destination,
    outlives_log=True,
    help="One destination: how it stands, what was posted to it of late, and its settings.",
)
