"""Failures, grouped by what threw and where."""

from collections.abc import Iterable

import msgspec

from headrace.eventlog.pages import ExceptionQuery, Pages
from headrace.eventlog.port import StoredEvent
from headrace.eventlog.told import ErrorTold, Told


class FailureGroup(msgspec.Struct, kw_only=True):
    """Failures with the same origin, type and place. *message* and *frames* are those of the last one.

    *fingerprint* and *state* are there where the store has grouped them.
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
    fingerprint: str = ""
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
    groups: dict[tuple[str, str, str], FailureGroup] = {}
    sessions: dict[tuple[str, str, str], set[str]] = {}
    for event in events:
        told = Told(event.value)
        error = told.error() or ErrorTold(origin="", type="Error", message="", code="", frames=())
        place = told.place() or (error.frames[-1] if error.frames else "")
        key = (error.origin, error.type, place)
        found = groups.get(key)
        if found is None:
            found = groups[key] = FailureGroup(
                origin=error.origin,
                type=error.type,
                place=place,
                first_at=event.at,
                last_at=event.at,
                last_session=event.session,
                message=error.message,
                frames=error.frames,
            )
        sessions.setdefault(key, set()).add(event.session)
        found.count += 1
        found.sessions = len(sessions[key])
        found.first_at = min(found.first_at, event.at)
        if event.at > found.last_at:
            found.last_at, found.last_session = event.at, event.session
            found.message, found.frames = error.message, error.frames
    return sorted(groups.values(), key=lambda each: (-each.count, -each.last_at))
