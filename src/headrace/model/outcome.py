"""What became of an event (`Outcome`), and what a destination said to a post (`Answer`). Both are closed."""

import msgspec


class Delivered(msgspec.Struct, frozen=True):
    """The destination took the event."""


class Retryable(msgspec.Struct, frozen=True):
    """Not taken, or nobody knows: the event goes to a tier and is posted again."""

    reason: str


class Rejected(msgspec.Struct, frozen=True):
    """The destination will never take this event: a dead letter."""

    reason: str


Outcome = Delivered | Retryable | Rejected
"""One per event; there is no default."""


class AllDelivered(msgspec.Struct, frozen=True):
    """Every event of the post was taken."""


class Each(msgspec.Struct, frozen=True):
    """One outcome per event, in the order of the batch."""

    outcomes: tuple[Outcome, ...]


class Busy(msgspec.Struct, frozen=True):
    """Every event is Retryable; *retry_after* seconds were asked for, if any.

    *timed_out* says that no answer came in time: the destination hangs.
    """

    reason: str
    retry_after: float | None = None
    timed_out: bool = False


class TooLarge(msgspec.Struct, frozen=True):
    """The batch is to be halved and sent again at once; a single event is Rejected (413)."""

    reason: str


class Refused(msgspec.Struct, frozen=True):
    """Some event is bad: halve until the bad ones stand alone, and reject those (400, 422)."""

    reason: str


class Misconfigured(msgspec.Struct, frozen=True):
    """The destination is wrong, not the events: park it; every event is Retryable."""

    reason: str
    retry_after: float | None = None


Answer = AllDelivered | Each | Busy | TooLarge | Refused | Misconfigured
"""What one post came to. A sink returns it; raising means that nothing is known, which is `Busy`."""
