"""Reads a session's events page by page, so that neither many events nor long ones fill the memory."""

import msgspec

from headrace.eventlog.pages import Page, Pages
from headrace.eventlog.port import EventQuery, StoredEvent

BYTES = 8 << 20
"""Of values: beyond it a page ends, however few its events are."""


def read_page(log: Pages, query: EventQuery) -> Page[StoredEvent]:
    """Return one page of at most `query.limit` events."""
    return log.find_events(msgspec.structs.replace(query, most_bytes=BYTES))
