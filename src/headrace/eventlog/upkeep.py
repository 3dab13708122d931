"""What people and time do to an event log: they resolve exceptions, erase sessions, and let old events go."""

from typing import Literal, Protocol

import msgspec

Action = Literal["resolve", "ignore", "reopen"]
"""What a person decides about an exception. Reopen takes either of the others back."""


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """How much is gone."""

    sessions: int = 0
    events: int = 0


class Expired(msgspec.Struct, frozen=True, kw_only=True):
    """What one call of `expire` let go. *is_all*: nothing is left that is too old.

    *events* are those that were deleted one by one; of a day that went as a whole it is what the store estimates.
    """

    sessions: int
    events: int
    is_all: bool


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """A session was erased *at*; *late* events of it have come since, each counted once, and were not stored."""

    at: float
    late: int


class Upkeep(Protocol):
    """Changes an event log. Each method is one transaction, and raises `StoreError` when nothing of it happened."""

    def decide(self, org: str | None, fingerprint: str, action: Action, by: str) -> int:
        """Note what *by* decided about an exception of *org*, or of every org; return of how many there is one."""
        ...

    def erase_session(self, org: str, session: str) -> Erased:
        """Delete a session, what it added to exceptions included, and keep from then on what comes of it out.

        Of its name only a digest stays. It need not be there yet.
        """
        ...

    def erase_user(self, org: str, user: str) -> Erased:
        """Erase every session that *user* began until now, those included whose begin arrives later.

        Sessions that the user begins afterwards are stored like any other.
        """
        ...

    def tombstone(self, org: str, session: str) -> Tombstone | None:
        """Return when a session was erased; None when it was not."""
        ...

    def expire(self, before: float) -> Expired:
        """Delete the events from before *before*, and sessions, exceptions and counters that ended before it.

        *before* is the begin of a day. A call deletes a portion, so that it does not hold up those who write: call it
        until that was all.
        """
        ...
