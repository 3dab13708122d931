"""Makes pages of events from what either store finds, row by row, so that long values do not fill the memory."""

from collections.abc import Iterable
from typing import Any

from headrace.eventlog import cursor
from headrace.eventlog.pages import Page
from headrace.eventlog.port import EventQuery, StoredEvent


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
