"""Failures, grouped by what threw and where."""

from collections.abc import Iterable

import msgspec

from headrace.eventlog.fingerprint import failure
from headrace.eventlog.pages import ExceptionQuery, Pages
from headrace.eventlog.port import StoredEvent


class FailureGroup(msgspec.Struct, kw_only=True):
    """Failures with the same fingerprint. *origin*, *message* and *frames* are those of the last one.

    *state* is there where the store has grouped them.
    """

    origin: str
    type: str
    place: str
    count: int = 0
    sessions: int = 0
    first_at: float
    last_at: float
    last_session: str
    message: str
    frames: tuple[str, ...]
    fingerprint: str
    state: str = ""


def of_org(pages: Pages, org: str) -> list[FailureGroup]:
    """Return the exceptions of *org*, the most frequent first, as the store has grouped them."""
    groups: list[FailureGroup] = []
    after = None
    while True:
        page = pages.find_exceptions(ExceptionQuery(org=org, after=after, limit=1000))
        groups += [
            FailureGroup(
                origin=each.origin,
                type=each.type,
                place=each.culprit or each.frame,
                count=each.count,
                sessions=each.sessions,
                first_at=each.first_at,
                last_at=each.last_at,
                last_session=each.last_session,
                message=each.message,
                frames=tuple(each.stack.splitlines()),
                fingerprint=each.fingerprint,
                state=each.state,
            )
            for each in page.rows
        ]
        if page.next is None:
            return sorted(groups, key=lambda each: (-each.count, -each.last_at))
        after = page.next


def group(events: Iterable[StoredEvent]) -> list[FailureGroup]:
    """Group failed *events*, the most frequent first, and of equal ones the latest first."""
    groups: dict[str, FailureGroup] = {}
    sessions: dict[str, set[str]] = {}
    for event in events:
        told = failure(event.value)
        found = groups.get(told.fingerprint)
        if found is None:
            found = groups[told.fingerprint] = FailureGroup(
                origin=told.origin,
                type=told.type,
                place=told.culprit or told.frame,
                first_at=event.at,
                last_at=event.at,
                last_session=event.session,
                message=told.message,
                frames=tuple(told.stack.splitlines()),
                fingerprint=told.fingerprint,
            )
        sessions.setdefault(told.fingerprint, set()).add(event.session)
        found.count += 1
        found.sessions = len(sessions[told.fingerprint])
        found.first_at = min(found.first_at, event.at)
        if event.at > found.last_at:
            found.last_at, found.last_session = event.at, event.session
            found.origin, found.message, found.frames = told.origin, told.message, tuple(told.stack.splitlines())
    return sorted(groups.values(), key=lambda each: (-each.count, -each.last_at))
