"""What the event loop tells the owner thread: how runs ended. A deque, since its ends may be used from two threads."""

from collections import deque
from collections.abc import Sequence

import msgspec

from headrace.core.runs import Run
from headrace.model.outcome import Outcome
from headrace.model.units import Duration
from headrace.wire.attempts import Attempt


class Done(msgspec.Struct, frozen=True):
    """Every event of the run was delivered."""

    run: Run


class Hop(msgspec.Struct, frozen=True):
    """The run goes to a tier without a post."""

    run: Run
    delay: Duration
    reason: str


class Failed(msgspec.Struct, frozen=True):
    """A posted run of which something was not delivered.

    *outcomes* and *posts* are parallel to its events. *delay* is the tier while the destination is parked; without it
    the number of attempts says which.
    """

    run: Run
    outcomes: Sequence[Outcome]
    posts: Sequence[int]
    delay: Duration | None


Report = Done | Hop | Failed | Attempt
Outbox = deque[Report]
