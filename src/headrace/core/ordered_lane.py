"""A lane that keeps sessions in order: nothing is posted of a partition of which something is in flight."""

from collections.abc import Callable

from headrace.core.holds import Allowance, Holds, Key
from headrace.core.lanes import Lane, LaneLimits
from headrace.core.runs import EVENT_OVERHEAD, Run
from headrace.model.destination import Destination


class OrderedLane(Lane):
    """A session has one partition, so posts of different partitions may overlap.

    Beside the queues there is a room, where events of draining sessions wait for those before them.
    """

    __slots__ = ("_waiting", "_waiting_size", "changed", "flying", "holds", "is_blocked", "room")

    def __init__(self, org: str, destination: Destination, limits: LaneLimits, allowance: Allowance) -> None:
        super().__init__(org, destination, limits)
        self.holds = Holds(allowance)
        self.flying: dict[int, list[Run]] = {}
        """What is in flight, by partition."""
        self.busy = self.flying
        self.room: dict[Key, dict[int, Run]] = {}
        self._waiting = self._waiting_size = 0
        self.changed: set[Key] = set()
        """Keys under which something waits in the room, and that were held anew or drain no more."""
        self.is_blocked = False
        """Whether all that waits here waits for a post to end, or for events that are before it."""

    @property
    def weight(self) -> int:
        return super().weight + self._waiting_size + EVENT_OVERHEAD * self._waiting

    @property
    def is_full(self) -> bool:
        """Whether there is no place for new events: what waits in the room takes up its place too."""
        return self.events + self._waiting >= self.limits.lane_events or self.weight >= self.limits.lane_bytes

    def waited(self, now: float) -> float:
        in_room = next(iter(next(iter(self.room.values())).values())).at if self.room else now
        return max(super().waited(now), now - in_room)

    def is_stuck(self, now: float, patience: float, *, is_due: bool) -> bool:
        """Tell whether what is *due*, or else what is new, has to go elsewhere: the lane is full, and stands still.

        What waits in the room waits for due events that still have to come in, so it takes up none of their place.
        """
        if not is_due:
            return self.is_full and self.waited(now) >= patience
        weight = self.size + EVENT_OVERHEAD * self.events
        is_crowded = self.events >= self.limits.lane_events or weight >= self.limits.lane_bytes
        return is_crowded and super().waited(now) >= patience

    def may_post(self) -> bool:
        return not self.is_blocked and super().may_post()

    def add(self, run: Run) -> None:
        self.is_blocked = False
        super().add(run)

    def let_wait(self, key: Key, origin: int, run: Run) -> bool:
        """Keep *run*, a single event, in the room until what is before it is in the lane; False if it is there."""
        waiting = self.room.setdefault(key, {})
        if origin in waiting:
            return False
        waiting[origin] = run
        self._waiting += 1
        self._waiting_size += run.size
        return True

    def let_in(self, key: Key, origin: int, *, is_due: bool) -> None:
        """Move one event from the room into a queue.

        One that *is due* was on a tier too, though it may have been polled from the main topic once more: what
        follows it from tiers comes behind it.
        """
        for run in self.let_out(key, origin):
            self.is_blocked = False
            (self.due if is_due else self.fresh).append(run)
            self.events += len(run)
            self.size += run.size

    def let_out(self, key: Key, origin: int | None = None) -> list[Run]:
        """Take one event out of the room, or all that wait under *key*, in their order."""
        waiting = self.room.get(key, {})
        origins = sorted(waiting) if origin is None else [origin] if origin in waiting else []
        runs = [waiting.pop(each) for each in origins]
        if not waiting:
            self.room.pop(key, None)
        self._waiting -= len(runs)
        self._waiting_size -= sum(run.size for run in runs)
        return runs

    def merge_room(self, whole: Key) -> None:
        """Let all that waits of a partition wait under one key."""
        for key in [key for key in self.room if key[0] == whole[0] and key != whole]:
            self.room.setdefault(whole, {}).update(self.room.pop(key))

    def take(self) -> list[Run]:
        """Cut one batch; empty when nothing may be posted now."""
        runs = super().take()
        self.is_blocked = not runs
        for run in runs:
            self.flying.setdefault(run.partition, []).append(run)
        return runs

    def land(self, runs: list[Run]) -> None:
        """Note that the batch *runs* is not in flight any more."""
        for run in runs:
            self.flying.pop(run.partition, None)
        self.is_blocked = False

    def clear(self) -> list[Run]:
        waiting = [run for key in list(self.room) for run in self.let_out(key)]
        return [*super().clear(), *(run for run in waiting if not run.chunk.assignment.is_leaving)]

    def pull(self, partition: int, is_meant: Callable[[Run, int], bool]) -> list[Run]:
        """Take out the events of *partition* that are meant, in their order, wherever they wait."""
        pulled: list[Run] = []
        for queue in (self.due, self.fresh):
            for _ in range(len(queue)):
                run = queue.popleft()
                meant = [at for at in range(run.start, run.stop) if run.partition == partition and is_meant(run, at)]
                if not meant:
                    queue.append(run)
                    continue
                self._forget(run)
                pulled.append(run if len(meant) == len(run) else run.pick(meant))
                if len(meant) < len(run):
                    chosen = set(meant)
                    rest = run.pick([at for at in range(run.start, run.stop) if at not in chosen])
                    queue.append(rest)
                    self.events += len(rest)
                    self.size += rest.size
        return pulled
