"""What Headrace asks of an event log. `eventlog.sqlite` is the embedded one, `eventlog.memory` the one for tests.

Every implementation passes `headrace.testing.eventlog_contract`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Upserted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the values of one `upsert`: how many are new, how many were there already.

    *refused* says by position why a value can never be stored; the others are.
    """

    added: int
    repeated: int
    refused: Mapping[int, str] = {}


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the log holds it.

    *session* is empty when the event has no subject. *seq* is None when it has none that is a 64-bit integer. *at*,
    in seconds since the epoch, is the event's own time, or when it was stored if it tells none. *failed* says that
    its data holds an error.
    """

    org: str
    session: str
    seq: int | None
    at: float
    type: str
    failed: bool
    value: bytes


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One session at a glance. *source* is that of its first event; *first_error* and *end* are events' values.

    *turns* counts its `bot.turn.started`; *end* is its last `bot.session.ended`.
    """

    org: str
    session: str
    source: str
    first_at: float
    last_at: float
    events: int
    errors: int
    turns: int
    first_error: bytes | None = None
    end: bytes | None = None


class EventQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which events of *org* to read: of one *session* or all, of one *type*, only the *failed*, and at most *limit*.

    Those of one session come in the order of `seq`, those without after the others, and then of time and arrival;
    the first ones are kept. Those of all sessions come the last arrived first.
    """

    org: str
    session: str | None = None
    type: str | None = None
    failed: bool = False
    limit: int = 1000


class EventLog(Protocol):
    """Stores events by `source` and `id`, and reads them back. Calls block, and come from one thread at a time.

    Each method raises `StoreError`, a sentence with the way out, when the store cannot do it now; nothing of that
    call has then happened.
    """

    def upsert(self, values: Sequence[bytes], orgs: Sequence[str] = ()) -> Upserted:
        """Store CloudEvents, all in one transaction; the first of equal `source` and `id` stays.

        *orgs* runs in parallel and says whose each is; without it, or where it is empty, the event's `source` does,
        and what names no org there belongs to `-`. When this returns, the events survive a crash of the machine.
        """
        ...

    def sessions(self, org: str, *, limit: int = 100) -> Sequence[SessionSummary]:
        """Return the sessions of *org*, the last begun first."""
        ...

    def events(self, query: EventQuery) -> Sequence[StoredEvent]:
        """Return the events that *query* asks for."""
        ...

    def close(self) -> None:
        """Release what is held. A second call does nothing."""
        ...
