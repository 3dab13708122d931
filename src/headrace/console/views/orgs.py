"""Orgs: every one that the books know, the worst first."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import Limit, Text
from headrace.console.flow import Sums, lately_of, worst
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.watching.condition import lanes_by_org
from headrace.console.watching.seen import Seen, seen
from headrace.core.report import Line
from headrace.model.mark import NOBODY

MOST = 1000
"""Orgs that are shown before the books were closed."""


class OrgsAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which orgs."""

    text: Annotated[Text, Meta(description="In the org's name, whatever its case.")] = ""
    trouble: Annotated[bool, Meta(description="Only those with trouble: retrying, rejected, lost or failing.")] = False
    after: Annotated[int, Meta(ge=0, le=1_000_000, description="How many to leave out: the `next` before.")] = 0
    limit: Limit = 100


class OrgLine(msgspec.Struct, frozen=True, kw_only=True):
    """One org: its columns of the books, and what was counted in the last hour or two, None while nothing was.

    So many of its destinations are *failing*, and so many *delivering*: those that all orgs share among them. Where
    neither is known of any, both are 0.
    """

    org: str
    books: Line | None
    hour: Sums | None
    failing: int
    delivering: int = 0


class Orgs(msgspec.Struct, frozen=True, kw_only=True):
    """Some orgs of so many *found*. *total* is the line of all orgs, whatever was asked for.

    *log_trouble* says why what the event log has is missing.
    """

    rows: Sequence[OrgLine]
    found: int
    total: Line | None
    next: int | None = None
    seen: Seen
    log_trouble: str = ""


def read_orgs(ask: OrgsAsk, sources: Sources) -> Orgs:
    """Return the orgs that are asked for."""
    watched = sources.watch.latest()
    books = watched.books.whole if watched.books else None
    rows = _rows(ask, sources, books.orgs if books else {})
    until = ask.after + ask.limit
    shown = rows[ask.after : until]
    hours = lately_of(sources, [row.org for row in shown])
    return Orgs(
        rows=[msgspec.structs.replace(row, hour=hours[row.org]) for row in shown] if hours is not None else shown,
        found=len(rows),
        total=None if books is None else Line(**{name: getattr(books, name) for name in Line.__struct_fields__}),
        next=until if until < len(rows) else None,
        seen=seen(watched, None),
    )


def _rows(ask: OrgsAsk, sources: Sources, lines: Mapping[str, Line]) -> Sequence[OrgLine]:
    """Return every org that is meant, the worst first."""
    # Before the books were closed the event log knows some orgs; posts to what all orgs share are nobody's.
    known = lines or {each.org for each in worst(sources, MOST) if each.org != NOBODY}
    names = [name for name in known if ask.text.casefold() in name.casefold()]
    stands = lanes_by_org(sources.watch.recent.lanes(), names, sources.facts.destinations_of, sources.clock.wall())
    rows = [
        OrgLine(
            org=name,
            books=lines.get(name),
            hour=None,
            failing=stands[name].failing,
            delivering=stands[name].delivering,
        )
        for name in names
    ]
    return sorted((row for row in rows if not ask.trouble or _is_troubled(row)), key=_badness)


def _is_troubled(row: OrgLine) -> bool:
    books = row.books or Line()
    return bool(books.lost or books.rejected or books.retrying or row.failing or not books.balanced)


def _badness(row: OrgLine) -> tuple[object, ...]:
    books = row.books or Line()
    held = (-books.lost, books.balanced, -row.failing, -books.retrying, -books.rejected, -books.in_flight)
    return (*held, -books.accepted, row.org)


ORGS = View(
    name="orgs",
    path="/orgs",
    title="Orgs",
    ask=OrgsAsk,
    answer=Orgs,
    read=read_orgs,
    outlives_log=True,
    audience="operator",
    group="River",
    help="Every org, the worst first: what was accepted from it, and what became of that.",
)
