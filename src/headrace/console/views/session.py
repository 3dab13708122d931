"""Session: one conversation as it was said, as it took its time, or as the log has it; and one step of it in full."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headrace.console.fields import LONGEST, After, Limit, Org, Text
from headrace.console.sources import Log, Sources
from headrace.console.telling.detail import Detail, detail_of
from headrace.console.telling.far import AT_ONCE, FIRST, LAST, events_of, failed_around, page_at, place_in
from headrace.console.telling.reading import read_page
from headrace.console.telling.rows import Row, rows_of
from headrace.console.telling.spans import spans_of
from headrace.console.telling.steps import Step, steps_of
from headrace.console.telling.summary import Summary, summary_of
from headrace.console.telling.timeline import Timeline, draw
from headrace.console.telling.variables import place_of
from headrace.console.view import View
from headrace.console.viewer import Absent
from headrace.eventlog.fingerprint import failure
from headrace.eventlog.pages import Page, SessionQuery
from headrace.eventlog.port import EventQuery, StoredEvent
from headrace.eventlog.upkeep import Tombstone
from headrace.model.taxonomy import VariableSet

ERRORS = 500
"""Errors of one session that can be gone through."""

VARIABLES = 50_000
"""Events that are folded into what the variables were; where there are more before a step nothing is told of them."""

_SEQ = re.compile(r"-?[0-9]{1,19}")

SessionName = Annotated[
    str, Meta(max_length=LONGEST, description="The session; empty: the events that belong to none.")
]

StepName = Annotated[str, Meta(max_length=LONGEST)]


class SessionAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which session, and how it is told."""

    org: Org
    session: SessionName
    view: Annotated[Literal["conversation", "timeline", "log"], Meta(description="How it is told.")] = "conversation"
    step: Annotated[StepName | None, Meta(description="Open this step: the `seq` of its event, or its id.")] = None
    error: Annotated[Text | None, Meta(description="Open the first step with this exception's fingerprint.")] = None
    after: After | None = None
    limit: Limit = 500


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a session: its *steps*, and with the view `timeline` a drawing of them, or its events as *rows*.

    *summary* is None, and *erased* tells when, where the session was erased. *missing* counts the `seq` that never
    came, None where the session has too many events to say. *errors* are the ids of the failed events, *detail*
    is the step that was asked for. *is_begin*: the page begins where the session does.
    """

    summary: Summary | None
    erased: Tombstone | None = None
    missing: int | None = 0
    steps: list[Step] = []
    timeline: Timeline | None = None
    rows: list[Row] = []
    errors: list[str] = []
    detail: Detail | None = None
    is_begin: bool = True
    next: str | None = None


def read_session(ask: SessionAsk, sources: Sources) -> SessionAnswer:
    """Return one page of a session; raise `Absent` when there is none of that name."""
    log = sources.log
    found = log.find_sessions(SessionQuery(org=ask.org, session=ask.session, limit=1)).rows
    if not found:
        return SessionAnswer(summary=None, erased=_tombstone(ask, log))
    failing = EventQuery(org=ask.org, session=ask.session, failed=True, limit=ERRORS)
    failed = log.find_events(msgspec.structs.replace(failing, values=False)).rows
    focus = _focus(ask, log, failing)
    page, is_begin = _read(ask, log, focus)
    steps = steps_of(page.rows, is_begin=is_begin)
    return SessionAnswer(
        summary=summary_of(found[0]),
        missing=log.missing(ask.org, ask.session),
        steps=[] if ask.view == "log" else steps,
        timeline=draw(spans_of(steps)) if ask.view == "timeline" else None,
        rows=rows_of(page.rows, is_begin=is_begin) if ask.view == "log" else [],
        errors=[each.id for each in failed],
        detail=None if focus is None else _detail(ask, log, focus, page.rows, steps, failed),
        is_begin=is_begin,
        next=page.next,
    )


def find_event(log: Log, org: str, session: str, name: str) -> StoredEvent | None:
    """Return the event of a session that *name* names, its `seq` or its id."""
    if _SEQ.fullmatch(name) and FIRST <= (seq := int(name)) <= LAST:
        found = log.find_events(EventQuery(org=org, session=session, seq_from=seq, limit=1)).rows
        if found and found[0].seq == seq:
            return found[0]
    return next(iter(log.find_events(EventQuery(org=org, session=session, id=name, limit=1)).rows), None)


def _tombstone(ask: SessionAsk, log: Log) -> Tombstone:
    erased = log.tombstone(ask.org, ask.session)
    if erased is None:
        raise Absent("there is nothing here")
    return erased


def _focus(ask: SessionAsk, log: Log, failing: EventQuery) -> StoredEvent | None:
    """Return the event that is asked for, if any; what is not there is not worth an error."""
    if ask.step is not None:
        return find_event(log, ask.org, ask.session, ask.step)
    if ask.error is not None:
        return _first_of(ask.error, log, failing)
    return None


def _first_of(fingerprint: str, log: Log, failing: EventQuery) -> StoredEvent | None:
    """Return the first of the events *failing* with this fingerprint, if it is among their first `ERRORS`."""
    first = islice(events_of(log, failing), failing.limit)
    return next((each for each in first if failure(each.value).fingerprint == fingerprint), None)


def _read(ask: SessionAsk, log: Log, focus: StoredEvent | None) -> tuple[Page[StoredEvent], bool]:
    """Return the page that was asked for, or the one with *focus*; and whether it begins where the session does."""
    query = EventQuery(org=ask.org, session=ask.session, limit=ask.limit, after=ask.after)
    is_far = focus is not None and ask.after is None and focus.seq is not None and focus.seq >= ask.limit
    if not is_far:
        page = read_page(log, query)
        if focus is None or place_in(page, focus) is not None:
            return page, ask.after is None
    assert focus is not None
    return page_at(log, query, focus), False


def _detail(
    ask: SessionAsk,
    log: Log,
    focus: StoredEvent,
    events: Sequence[StoredEvent],
    steps: Sequence[Step],
    failed: Sequence[StoredEvent],
) -> Detail:
    # What is set after the page is not read: the step of the focus ends on it.
    last = max(map(place_of, (focus, *events)))
    sets = EventQuery(
        org=ask.org, session=ask.session, type=VariableSet.type, seq_to=None if last[0] else last[1], limit=AT_ONCE
    )
    if len(failed) == ERRORS:
        failed = failed_around(log, EventQuery(org=ask.org, session=ask.session, failed=True), focus)
    return detail_of(focus, events, steps, failed, events_of(log, sets), most=VARIABLES)


SESSION = View(
    name="session",
    path="/sessions/{org}/{session}",
    title="Session",
    ask=SessionAsk,
    answer=SessionAnswer,
    read=read_session,
    help="One conversation: what was said, what the bot did in between, and what threw.",
)
