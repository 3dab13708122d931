"""What Headrace asks of an event log: to take events and to give them back.

`eventlog.sqlite` is the embedded one, `eventlog.postgres` the one for production, `eventlog.memory` the one for tests.
What a console asks beside this is in `eventlog.pages` and `eventlog.upkeep`. Every implementation passes
`headrace.testing.eventlog_contract`, and what it holds does not depend on the order in which events arrived.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Upserted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the values of one `upsert`: how many are new, how many were there already.

    *late* belong to a session that was erased: they are counted and not stored. *refused* says by position why a
    value can never be stored.
    """

    added: int
    repeated: int
    late: int = 0
    refused: Mapping[int, str] = {}


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the log holds it.

    *session* is empty when the event has no subject. *seq* is None when it has none that is a 64-bit integer. *at*,
    in seconds since the epoch, is the event's own time, or when it was stored if it tells none. *failed* says that
    its data holds an error, an object, or that its type is one of a failure.
    """

    org: str
    session: str
    seq: int | None
    at: float
    type: str
    failed: bool
    value: bytes
    id: str = ""


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One session at a glance. *source* and *bot* are those of its first event; *turns* counts `bot.turn.started`.

    *version*, *channel*, *language* and *user* are what its first `bot.session.started` told; *ended_at* and *end_type*
    (its `reason`) what its last `bot.session.ended` did, whose value is *end*. *first_error* is the value of its first
    failed event, and the fields that begin with `error_` are what it told. Unknown text is empty.
    """

    org: str
    session: str
    source: str
    first_at: float
    last_at: float
    events: int
    errors: int
    turns: int
    bot: str = ""
    version: str = ""
    channel: str = ""
    language: str = ""
    user: str = ""
    ended_at: float | None = None
    end_type: str = ""
    error_fingerprint: str = ""
    error_type: str = ""
    error_culprit: str = ""
    error_message: str = ""
    error_at: float | None = None
    first_error: bytes | None = None
    end: bytes | None = None


class EventQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which events of *org* to read: of one *session* or all, of one *type*, only the *failed*, and at most *limit*.

    *id* names one. *seq_from* leaves out those whose `seq` is less, *seq_to* those whose `seq` is greater or who have
    none. A page of one session ends with the event whose value makes it longer than *most_bytes*, however few its
    events are. Without *values* none is read: each is empty.

    Those of one session come in the order of `seq`, those without after the others, and then of time and id; *after*,
    the `next` of a page, goes on where that one ended. Those of all sessions come from the session that began last to
    the first, of each the latest first, and have no next page.
    """

    org: str
    session: str | None = None
    type: str | None = None
    failed: bool = False
    id: str | None = None
    seq_from: int | None = None
    seq_to: int | None = None
    limit: int = 1000
    most_bytes: int | None = None
    values: bool = True
    after: str | None = None


class EventLog(Protocol):
    """Stores events by `source` and `id`, and reads them back. Calls block, and come from one thread at a time.

    Each method raises `StoreError`, a sentence with the way out, when the store cannot do it now; nothing of that
    call has then happened.
    """

    def upsert(self, values: Sequence[bytes], orgs: Sequence[str] = ()) -> Upserted:
        """Store CloudEvents, all in one transaction; of equal `source` and `id` the first stays.

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
