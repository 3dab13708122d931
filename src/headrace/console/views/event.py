"""Events as they were written, for programs and for who wants to see all of one."""

from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import LONGEST, After, Limit, Org
from headrace.console.sources import Sources
from headrace.console.telling.reading import read_page
from headrace.console.view import View
from headrace.console.viewer import Absent
from headrace.console.views.session import SessionName
from headrace.eventlog.port import EventQuery

EventId = Annotated[str, Meta(min_length=1, max_length=LONGEST, description="The event's id.")]


class EventAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which event."""

    org: Org
    session: SessionName
    id: EventId


class EventAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One event, byte for byte but for the space around it, and what is known of it."""

    org: str
    session: str
    id: str
    seq: int | None
    at: float
    type: str
    failed: bool
    event: msgspec.Raw


def read_event(ask: EventAsk, sources: Sources) -> EventAnswer:
    """Return one event; raise `Absent` when there is none."""
    found = sources.log.find_events(EventQuery(org=ask.org, session=ask.session, id=ask.id, limit=1)).rows
    if not found:
        raise Absent("there is nothing here")
    each = found[0]
    return EventAnswer(
        org=each.org,
        session=each.session,
        id=each.id,
        seq=each.seq,
        at=each.at,
        type=each.type,
        failed=each.failed,
        event=msgspec.Raw(each.value.strip()),
    )


EVENT = View(
    name="event",
    path="/sessions/{org}/{session}/events/{id}",
    title="Event",
    ask=EventAsk,
    answer=EventAnswer,
    read=read_event,
    has_page=False,
    help="One event as it was written.",
)


class EventsAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which session's events."""

    org: Org
    session: SessionName
    after: After | None = None
    limit: Limit = 500


class EventsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a session's events as they were written, in their order; a page of long ones holds fewer."""

    rows: list[msgspec.Raw]
    next: str | None = None


def read_events(ask: EventsAsk, sources: Sources) -> EventsAnswer:
    """Return one page of events; raise `Absent` when there is none."""
    query = EventQuery(org=ask.org, session=ask.session, after=ask.after, limit=ask.limit)
    page = read_page(sources.log, query)
    if not page.rows and ask.after is None:
        raise Absent("there is nothing here")
    return EventsAnswer(rows=[msgspec.Raw(each.value.strip()) for each in page.rows], next=page.next)


EVENTS = View(
    name="events",
    path="/sessions/{org}/{session}/events",
    title="Events",
    ask=EventsAsk,
    answer=EventsAnswer,
    read=read_events,
    rows=lambda answer: answer,
    has_page=False,
    help="A session's events as they were written.",
)
