"""Time that passes only when a test lets it: a clock that is set, and an event loop that jumps when all is idle."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import TypeVar

T = TypeVar("T")

EPOCH = 1_764_000_000.0
"""What the calendar shows when a fake clock starts."""


class FakeClock:
    """A `Clock` that stands still until `advance` is called."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return EPOCH + self._now

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self._now += seconds


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for nothing: where the loop would sleep, its clock is advanced instead."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self._clock.advance(timeout)
        elif not ready and timeout is None:
            return super().select(None)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on a `FakeClock`: timers fire at once, in order, and the clock shows when they would have."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(_JumpingSelector(clock))
        self._clock = clock

    def time(self) -> float:
        return self._clock.monotonic()


def run_virtually(main: Callable[[FakeClock], Coroutine[object, object, T]]) -> T:
    """Run *main* with a fake clock on a virtual loop, and return what it returns."""
    clock = FakeClock()
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        return runner.run(main(clock))
