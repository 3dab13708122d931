"""Reads a session's events in portions, so that neither many events nor long ones fill the memory."""

from collections.abc import Sequence

import msgspec

from headrace.console.telling.steps import gaps_of
from headrace.eventlog.pages import Page, Pages
from headrace.eventlog.port import EventQuery, StoredEvent

PORTION = 100
"""Events that are read at once."""

BYTES = 8 << 20
"""Of values: after a portion that went beyond it a page ends, however few its events are."""

SOUGHT = 10_000
"""Events that are looked through for what never came."""


def read_page(log: Pages, query: EventQuery) -> Page[StoredEvent]:
    """Return one page of at most `query.limit` events."""
    rows: list[StoredEvent] = []
    after, read = query.after, 0
    while len(rows) < query.limit and read <= BYTES:
        most = min(PORTION, query.limit - len(rows))
        page = log.find_events(msgspec.structs.replace(query, after=after, limit=most))
        rows += page.rows
        read += sum(len(each.value) for each in page.rows)
        after = page.next
        if after is None:
            break
    return Page(rows=rows, next=after)


def missing_in(log: Pages, org: str, session: str) -> int | None:
    """Return how many `seq` of a session are missing; None when it is too long to be looked through."""
    places: list[StoredEvent] = []
    after, read = None, 0
    while len(places) < SOUGHT and read <= BYTES:
        page = log.find_events(EventQuery(org=org, session=session, limit=1000, after=after))
        read += sum(len(each.value) for each in page.rows)
        places += [msgspec.structs.replace(each, value=b"") for each in page.rows]
        after = page.next
        if after is None:
            return missing_of(places)
    return None


def missing_of(events: Sequence[StoredEvent]) -> int:
    """Return how many `seq` of a whole session are missing."""
    return sum(gaps_of(events))
