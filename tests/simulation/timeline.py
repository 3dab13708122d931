"""Virtual time: what is to happen and when, in an order that a seed decides where two things happen at once."""

import heapq
from collections.abc import Callable
from random import Random
from typing import Protocol

from headrace.testing.clock import EPOCH

Act = Callable[[], object]

MOST_STEPS = 400_000
"""Acts of one run; beyond them the world goes round in circles."""


class RunsInCircles(Exception):
    """The world never comes to the end of its time."""


class Doer(Protocol):
    """Whoever an act belongs to: the dead do nothing, the frozen do it when they thaw."""

    is_dead: bool
    is_frozen: bool
    deferred: list[Act]


class Timeline:
    """Acts by their time. It is the `Clock` of all workers, too."""

    def __init__(self, random: Random) -> None:
        self.now = 0.0
        self._random = random.random
        self._heap: list[tuple[float, float, int, Act, Doer | None]] = []
        self._count = 0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return EPOCH + self.now

    def after(self, delay: float, act: Act, doer: Doer | None = None) -> None:
        """Let *act* happen in *delay* seconds. Acts of one moment happen in any order."""
        self._count += 1
        heapq.heappush(self._heap, (self.now + delay, self._random(), self._count, act, doer))

    def step(self, until: float) -> bool:
        """Do what comes next, if it comes before *until*; else let time pass until then and say no."""
        if not self._heap or self._heap[0][0] > until:
            self.now = max(self.now, until)
            return False
        if self._count > MOST_STEPS:
            raise RunsInCircles
        at, _, _, act, doer = heapq.heappop(self._heap)
        # What was deferred, or passed over while a thread was blocked, comes late: time does not go back.
        self.now = max(self.now, at)
        if doer is None or not (doer.is_dead or doer.is_frozen):
            act()
        elif doer.is_frozen and not doer.is_dead:
            doer.deferred.append(act)
        return True

    def run(self, until: float) -> None:
        """Do all that comes before *until*. A worker's blocked thread calls it from within an act."""
        while self.step(until):
            pass
