"""Goes through a session further than one page: to a step, to the errors around it, and through what was set before."""

from collections import deque
from collections.abc import Iterator

import msgspec

from headrace.console.telling.reading import read_page
from headrace.console.telling.variables import place_of
from headrace.eventlog.pages import Page, Pages
from headrace.eventlog.port import EventQuery, StoredEvent

FIRST, LAST = -(1 << 63), (1 << 63) - 1
"""No `seq` is less, and none greater."""

BEFORE = 10
"""Events that are shown before the step that a page begins at."""

AT_ONCE = 1_000
"""Events that are read at once where many may be."""

OTHERS = 2
"""Errors on either side of an event: one of them may be of its own step."""


def events_of(log: Pages, query: EventQuery) -> Iterator[StoredEvent]:
    """Yield all events that *query* means, page by page of its limit."""
    while True:
        page = read_page(log, query)
        yield from page.rows
        if page.next is None:
            return
        query = msgspec.structs.replace(query, after=page.next)


def page_at(log: Pages, query: EventQuery, focus: StoredEvent) -> Page[StoredEvent]:
    """Return a page of *query* that begins a little before *focus*, and has it."""
    query = msgspec.structs.replace(query, after=None, seq_from=_start(focus, BEFORE))
    page = read_page(log, query)
    if place_in(page, focus) is not None:
        return page
    # Many share its `seq`, or have none. Of those that are left out no values are read.
    bare = msgspec.structs.replace(query, values=False)
    while True:
        skipped = log.find_events(bare)
        place = place_in(skipped, focus)
        if place is not None:
            break
        if skipped.next is None:
            return page
        bare = msgspec.structs.replace(bare, after=skipped.next)
    if place > BEFORE:
        bare = msgspec.structs.replace(
            bare, after=log.find_events(msgspec.structs.replace(bare, limit=place - BEFORE)).next
        )
    return read_page(log, msgspec.structs.replace(query, after=bare.after))


def place_in(page: Page[StoredEvent], focus: StoredEvent) -> int | None:
    """Return where *focus* stands on a page; None when it is not there."""
    return next((place for place, each in enumerate(page.rows) if each.id == focus.id), None)


def failed_around(log: Pages, failing: EventQuery, focus: StoredEvent) -> list[StoredEvent]:
    """Return of the events *failing* those nearest to *focus* on either side, in their order, without values."""
    query = msgspec.structs.replace(failing, values=False, limit=AT_ONCE, after=None)
    start, own = _start(focus), place_of(focus)
    before: deque[StoredEvent] = deque(maxlen=OTHERS)
    after: list[StoredEvent] = []
    for each in events_of(log, msgspec.structs.replace(query, seq_from=start)):
        if place_of(each) < own:
            before.append(each)
        elif place_of(each) > own:
            after.append(each)
            if len(after) == OTHERS:
                break
    return [*_last_before(log, query, start), *before, *after]


def _last_before(log: Pages, query: EventQuery, start: int) -> Iterator[StoredEvent]:
    """Yield the last few with a `seq` less than *start*: nothing is read backwards, so further and further back."""
    width = AT_ONCE
    while start > FIRST:
        begin = max(FIRST, start - width)
        window = msgspec.structs.replace(query, seq_from=begin, seq_to=start - 1)
        found = deque(events_of(log, window), maxlen=OTHERS)
        if len(found) == OTHERS or begin == FIRST:
            yield from found
            return
        width *= 16


def _start(focus: StoredEvent, before: int = 0) -> int:
    return LAST if focus.seq is None else max(FIRST, focus.seq - before)
