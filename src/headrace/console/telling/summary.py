"""A session at a glance, as pages and programs get it."""

from typing import Any

import msgspec

from headrace.eventlog.port import SessionSummary

_BYTES = ("first_error", "end")


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One session: when it began and was heard of last, its bot, how it ended, and its first error.

    *ended_at* is None while it has not ended; *seconds* is how long it has lasted. Unknown text is empty.
    """

    org: str
    session: str
    source: str
    bot: str
    version: str
    channel: str
    language: str
    user: str
    first_at: float
    last_at: float
    seconds: float
    events: int
    turns: int
    errors: int
    ended_at: float | None
    end_type: str
    error_fingerprint: str
    error_type: str
    error_culprit: str
    error_message: str
    error_at: float | None


def summary_of(found: SessionSummary) -> Summary:
    """Return *found* without the events themselves."""
    told: dict[str, Any] = msgspec.structs.asdict(found)
    for name in _BYTES:
        del told[name]
    return Summary(**told, seconds=max(0.0, found.last_at - found.first_at))
