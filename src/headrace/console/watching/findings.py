"""What the checks of `headrace doctor` found last, and when."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from headrace.clock import Clock
from headrace.model.finding import Finding


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """*at*, in seconds since the epoch, is when the checks were made; None before the first time."""

    at: float | None = None
    found: Sequence[Finding] = ()


class Checking:
    """Makes the checks again and again. One thread makes them, any thread asks what they found."""

    def __init__(self, look: Callable[[], Iterable[Finding]], clock: Clock) -> None:
        self._look = look
        self._clock = clock
        self._findings = Findings()

    def latest(self) -> Findings:
        """Return what was found last."""
        return self._findings

    def step(self) -> None:
        """Make every check."""
        found = list(self._look())
        self._findings = Findings(at=self._clock.wall(), found=found)
