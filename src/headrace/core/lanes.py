"""A lane: what waits for one org at one destination, and how a batch is cut from it."""

from collections import deque
from collections.abc import Container

import msgspec

from headrace.core.pacing import Pace
from headrace.core.runs import EVENT_OVERHEAD, Run
from headrace.model.destination import Destination

LOOK_AT = 200
"""Runs of busy partitions that a cut looks past for others."""


class LaneLimits(msgspec.Struct, frozen=True, kw_only=True):
    """When a batch is sealed, and when a lane is full."""

    batch_events: int
    batch_bytes: int
    linger: float
    lane_events: int
    lane_bytes: int
    posts: int


class Lane:
    """Two queues: due events go before new ones. Runs of revoked partitions fall out when a batch is cut."""

    __slots__ = ("busy", "destination", "due", "events", "fresh", "is_queued", "limits", "org", "pace", "posts", "size")

    def __init__(self, org: str, destination: Destination, limits: LaneLimits) -> None:
        self.org = org
        self.destination = destination
        self.limits = limits
        self.pace = Pace(limits.batch_events)
        self.due: deque[Run] = deque()
        self.fresh: deque[Run] = deque()
        self.events = 0
        self.size = 0
        self.posts = 0
        self.is_queued = False
        self.busy: Container[int] = ()
        """Partitions of which nothing may be posted now; none but where their order matters."""

    @property
    def weight(self) -> int:
        """Bytes that the lane holds in memory."""
        return self.size + EVENT_OVERHEAD * self.events

    @property
    def is_full(self) -> bool:
        return self.events >= self.limits.lane_events or self.weight >= self.limits.lane_bytes

    @property
    def is_idle(self) -> bool:
        """Whether nothing is posted, or could be."""
        return not (self.posts or self.due or self.fresh)

    @property
    def fills_a_batch(self) -> bool:
        return self.events >= self.limits.batch_events or self.size >= self.limits.batch_bytes

    def oldest(self) -> float | None:
        """Return when the longest waiting event arrived, or None when nothing waits."""
        heads = [queue[0].at for queue in (self.due, self.fresh) if queue]
        return min(heads) if heads else None

    def waited(self, now: float) -> float:
        """Return for how many seconds the oldest event has waited; 0 when nothing does."""
        oldest = self.oldest()
        return now - oldest if oldest is not None else 0.0

    def ripens_at(self) -> float:
        """Return when the oldest event will have waited its linger; call it only while something waits."""
        oldest = self.oldest()
        assert oldest is not None, "nothing waits here"
        return oldest + self.limits.linger

    def is_ripe(self, now: float) -> bool:
        """Tell whether a batch may be sealed: there is enough for one, or the oldest event has waited its linger."""
        return self.events > 0 and (self.fills_a_batch or now >= self.ripens_at())

    def may_post(self) -> bool:
        """Tell whether one more post may start."""
        return self.posts < (self.limits.posts if self.pace.is_proven else 1)

    def add(self, run: Run) -> None:
        (self.due if run.marks else self.fresh).append(run)
        self.events += len(run)
        self.size += run.size

    def take(self) -> list[Run]:
        """Cut one batch off, due events first; a single event above the bytes goes alone.

        Events that failed more than once go in ever smaller batches, so that a poisonous one parts from the others.
        """
        cut = _Cut(self.limits)
        for queue in (self.due, self.fresh):
            if not self._fill(cut, queue):
                break
        return cut.runs

    def _fill(self, cut: "_Cut", queue: deque[Run]) -> bool:
        """Move what fits from *queue* into the cut; False when it leaves there what might have been taken."""
        passed: list[Run] = []
        while queue and len(passed) < LOOK_AT:
            run = queue[0]
            if run.chunk.assignment.is_leaving:
                self._forget(queue.popleft())
            elif run.partition in self.busy:
                passed.append(queue.popleft())
            elif (fitting := cut.fitting(run)) == 0:
                break
            else:
                part = queue.popleft() if fitting == len(run) else run.cut(fitting)
                self._forget(part)
                cut.add(part)
        is_through = not queue
        queue.extendleft(reversed(passed))
        return is_through

    def clear(self) -> list[Run]:
        """Take everything out; what belongs to revoked partitions is forgotten."""
        runs = [run for run in (*self.due, *self.fresh) if not run.chunk.assignment.is_leaving]
        self.due.clear()
        self.fresh.clear()
        self.events = self.size = 0
        return runs

    def _forget(self, run: Run) -> None:
        self.events -= len(run)
        self.size -= run.size


class _Cut:
    """A batch in the making: what is in it, and what still fits."""

    __slots__ = ("_largest", "_taken", "events", "runs", "size")

    def __init__(self, limits: LaneLimits) -> None:
        self.runs: list[Run] = []
        self.events = self._largest = limits.batch_events
        self.size = limits.batch_bytes
        self._taken = 0

    def fitting(self, run: Run) -> int:
        """Return how many of the run's events fit; a single one above the bytes fits when it is the first.

        Events that failed more than once go in ever smaller batches.
        """
        if run.attempts > 1:
            self.events = min(self.events, max(1, self._largest >> (run.attempts - 1)) - self._taken)
        most = min(self.events, len(run))
        if most <= 0:
            return 0
        if (run.size if most == len(run) else sum(map(len, run.values[run.start : run.start + most]))) <= self.size:
            return most
        size, fitting = self.size, 0
        for value in run.values[run.start : run.start + most]:
            size -= len(value)
            if size < 0:
                break
            fitting += 1
        return fitting or (0 if self.runs else 1)

    def add(self, run: Run) -> None:
        self.runs.append(run)
        self.events -= len(run)
        self.size -= run.size
        self._taken += len(run)
