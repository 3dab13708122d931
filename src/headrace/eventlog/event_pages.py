"""Makes pages of events from what either store finds, row by row, so that long values do not fill the memory."""

from collections.abc import Iterable
from typing import Any

from headrace.eventlog import cursor
from headrace.eventlog.choosing import Where
from headrace.eventlog.pages import Page
from headrace.eventlog.port import EventQuery, StoredEvent

Place = tuple[bool, cursor.Number, float, str, str]
"""Where an event stands in its session: whether it has no `seq`, that, its time, id and source."""


def parts_of(query: EventQuery, source: str) -> list[tuple[Where, str]]:
    """Return the condition and the order of the events with a `seq`, then of those without, as far as a page has them.

    Apart, each comes in the order of an index. They are of the table `e`; *source* names the column of their source.
    """
    after = None if query.after is None else cursor.read(query.after, Place)
    numbered, bare = Where(), Where()
    for where in (numbered, bare):
        where.add_given("e.type = ?", query.type)
        where.add_given("e.id = ?", query.id)
        if query.failed:
            where.add("e.failed")
    numbered.add("e.seq IS NOT NULL")
    numbered.add_given("e.seq >= ?", query.seq_from)
    numbered.add_given("e.seq <= ?", query.seq_to)
    bare.add("e.seq IS NULL")
    order = f"ORDER BY e.seq, e.at, e.id, {source}"
    parts = [(numbered, order)] if query.seq_to is not None else [(numbered, order), (bare, order)]
    if after is None:
        return parts
    if after[0]:
        bare.add(f"(e.at, e.id, {source}) > (?, ?, ?)", *after[2:])
        return parts[1:]
    numbered.add(f"(e.seq, e.at, e.id, {source}) > (?, ?, ?, ?)", *after[1:])
    return parts


def page_of(found: Iterable[tuple[Any, ...]], query: EventQuery) -> Page[StoredEvent]:
    """Return one page; *found* goes on behind it where there are more. No more of it is read than the page takes."""
    rows: list[StoredEvent] = []
    read, last = 0, ""
    for org, session, seq, at, type_, failed, value, id_, source in found:
        if len(rows) == query.limit or (query.most_bytes is not None and read > query.most_bytes):
            return Page(rows=rows, next=_next(rows[-1], last) if query.session is not None else None)
        rows.append(
            StoredEvent(org=org, session=session, seq=seq, at=at, type=type_, failed=bool(failed), value=value, id=id_)
        )
        read, last = read + len(value), source
    return Page(rows=rows)


def _next(last: StoredEvent, source: str) -> str:
    return cursor.write((last.seq is None, last.seq or 0, last.at, last.id, source))
