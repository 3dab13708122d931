"""Failures, grouped by what threw and where."""

from collections.abc import Iterable

import msgspec

from headrace.eventlog.port import StoredEvent
from headrace.eventlog.told import ErrorTold, Told


class FailureGroup(msgspec.Struct, kw_only=True):
    """Failures with the same origin, type and place. *message* and *frames* are those of the last one."""

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
