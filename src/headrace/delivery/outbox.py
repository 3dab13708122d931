"""What the event loop tells the owner thread: how runs ended."""

from collections import deque
from collections.abc import Iterator, Sequence

import msgspec

from headrace.core.runs import Run
from headrace.model.outcome import Outcome
from headrace.model.units import Duration
from headrace.wire.attempts import Attempt


class Done(msgspec.Struct, frozen=True):
    """Every event of the run was delivered."""

    run: Run


class Hop(msgspec.Struct, frozen=True):
    """The run goes to a tier without a post; what has had its time at *now*, on the calendar, is given up.

    Nothing is given up while a person has *paused* the destination, and its time begins anew.
    """

    run: Run
    delay: Duration
    reason: str
    now: float
    paused: bool = False


class Failed(msgspec.Struct, frozen=True):
    """A posted run of which something was not delivered.

    *outcomes* and *posts* are parallel to its events. *delay* is the tier while the destination is parked; without it
    the number of attempts says which. What has had its time at *now*, on the calendar, is given up, but not while
    a person has *paused* the destination.
    """

    run: Run
    outcomes: Sequence[Outcome]
    posts: Sequence[int]
    delay: Duration | None
    now: float
    paused: bool = False


class Later(msgspec.Struct, frozen=True):
    """The run was read ahead from a tier, and has to stay there."""

    run: Run


Move = Hop | Failed
Ending = Done | Move | Attempt
Report = Ending | Later


class Outbox:
    """A queue from the event loop, which alone puts, to the owner thread, which alone takes.

    Each side counts for itself, so that neither needs a lock.
    """

    def __init__(self) -> None:
        self._reports: deque[Report] = deque()
        self._put = 0
        self._taken = 0

    def __len__(self) -> int:
        return len(self._reports)

    def __iter__(self) -> Iterator[Report]:
        return iter(self._reports)

    @property
    def weight(self) -> int:
        """Bytes of the runs that wait here."""
        return self._put - self._taken

    def append(self, report: Report) -> None:
        self._put += _weight(report)
        self._reports.append(report)

    def popleft(self) -> Report:
        """Take the oldest report; raise `IndexError` when there is none."""
        report = self._reports.popleft()
        self._taken += _weight(report)
        return report


def _weight(report: Report) -> int:
    return 0 if isinstance(report, Attempt) else report.run.weight
