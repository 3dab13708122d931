"""`headrace log`: the event log of one org: its sessions, one session step by step, or what threw."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from headrace import config as configuration
from headrace.cli.log_screen import event_lines, failures_text, sessions_text, story_text
from headrace.cli.output import emit_document
from headrace.cli.plain import plain
from headrace.clock import SystemClock
from headrace.errors import HeadraceError, UsageError
from headrace.eventlog.failures import FailureGroup, group, of_org
from headrace.eventlog.opening import Store, open_event_log
from headrace.eventlog.port import EventQuery, SessionSummary, StoredEvent
from headrace.eventlog.story import tell
from headrace.wire.times import to_text

SESSIONS, EVENTS, GROUPS = 50, 10_000, 50
"""How much is shown unless `--limit` says otherwise."""

FAILURES_READ = 100_000
"""The failures of a session or a type that are grouped; those of an org are grouped when they are stored."""


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One session in `--json`; *first_error* and *end* are events."""

    session: str
    source: str
    started_at: str
    ended_at: str
    duration_s: float
    turns: int
    events: int
    errors: int
    first_error: msgspec.Raw | None
    end: msgspec.Raw | None


class SessionsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints of an org."""

    org: str
    count: int
    sessions: list[SessionRow]


class EventsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints of a session or a type: the CloudEvents as the bot wrote them."""

    org: str
    session: str | None
    count: int
    events: list[msgspec.Raw]


class FailuresDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints with `--errors`: *count* failures, in groups of the same fingerprint."""

    org: str
    session: str | None
    count: int
    groups: list[dict[str, Any]]


def log(
    *,
    org: str,
    session: str | None = None,
    type: str | None = None,  # noqa: A002 - the option's name
    errors: Annotated[bool, Parameter(negative=())] = False,
    limit: int | None = None,
    config: Path | None = None,
    json: bool = False,
) -> int:
    """Read the event log: an org's sessions, one session step by step, or what threw and where. Times are UTC.

    It may be run while workers write.

    Example: headrace log --org 00D000000000001 --session s-42

    Parameters
    ----------
    org
        Whose events; "-" has those that name no org.
    session
        Tell this session; without it the org's sessions are listed, the last begun first.
    type
        Events of this type only, such as bot.action.failed; without a session the last arrived first.
    errors
        Only what failed, grouped as on the console's page of exceptions, with counts.
    limit
        At most so many sessions (50), events (10,000) or groups (50).
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    if limit is not None and limit < 1:
        raise UsageError("--limit is at least 1")
    store = open_event_log(configuration.load(config).eventlog, SystemClock(), read_only=True)
    try:
        _check_known(store, org, session)
        query = EventQuery(org=org, session=session, type=type, failed=errors, limit=limit or EVENTS)
        if errors:
            _show_failures(query, _failures(store, query)[: limit or GROUPS], json=json)
        elif session is not None or type is not None:
            _show_events(query, store.events(query), json=json)
        else:
            _show_sessions(org, store.sessions(org, limit=limit or SESSIONS), json=json)
    finally:
        store.close()
    return 0


def _check_known(store: Store, org: str, session: str | None) -> None:
    if not store.sessions(org, limit=1):
        raise HeadraceError(f"the event log has no event of the org '{plain(org)}'")
    if session is not None and not store.events(EventQuery(org=org, session=session, limit=1)):
        raise HeadraceError(
            f"the org {plain(org)} has no session '{plain(session)}'; `headrace log --org {plain(org)}` lists them"
        )


def _failures(store: Store, query: EventQuery) -> Sequence[FailureGroup]:
    if query.session is None and query.type is None:
        return of_org(store, query.org)
    return group(store.events(msgspec.structs.replace(query, limit=FAILURES_READ)))


def _show_sessions(org: str, found: Sequence[SessionSummary], *, json: bool) -> None:
    document = SessionsDocument(org=org, count=len(found), sessions=[_row(each) for each in found])
    emit_document(document, "" if json else sessions_text(found), json=json)


def _show_events(query: EventQuery, found: Sequence[StoredEvent], *, json: bool) -> None:
    document = EventsDocument(
        org=query.org, session=query.session, count=len(found), events=[msgspec.Raw(each.value) for each in found]
    )
    text = ""
    if not json and query.session is not None:
        text = story_text(query, found, tell(found))
    elif not json:
        text = event_lines(query, found)
    emit_document(document, text, json=json)


def _show_failures(query: EventQuery, found: Sequence[FailureGroup], *, json: bool) -> None:
    groups = [
        msgspec.structs.asdict(each) | {"first_at": to_text(each.first_at), "last_at": to_text(each.last_at)}
        for each in found
    ]
    count = sum(each.count for each in found)
    document = FailuresDocument(org=query.org, session=query.session, count=count, groups=groups)
    emit_document(document, "" if json else failures_text(query.org, found), json=json)


def _row(summary: SessionSummary) -> SessionRow:
    return SessionRow(
        session=summary.session,
        source=summary.source,
        started_at=to_text(summary.first_at),
        ended_at=to_text(summary.last_at),
        duration_s=round(summary.last_at - summary.first_at, 3),
        turns=summary.turns,
        events=summary.events,
        errors=summary.errors,
        first_error=None if summary.first_error is None else msgspec.Raw(summary.first_error),
        end=None if summary.end is None else msgspec.Raw(summary.end),
    )
