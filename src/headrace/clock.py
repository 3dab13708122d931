"""Time, as an argument. `SystemClock` is the only place where Headrace's services read it."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two times: one that never goes back, for spans; one of the calendar, for what is written down."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def wall(self) -> float:
        """Return seconds since the epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()
