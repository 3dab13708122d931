"""A lane that keeps sessions in order: nothing is posted of a partition of which something is in flight."""

from collections.abc import Callable

from headrace.core.holds import Allowance, Holds, Key
from headrace.core.lanes import Lane, LaneLimits
from headrace.core.runs import Run
from headrace.model.destination import Destination


class OrderedLane(Lane):
    """A session has one partition, so posts of different partitions may overlap.

    Beside the queues there is a room, where events of draining sessions wait for those before them.
    """

    __slots__ = ("changed", "flying", "holds", "is_blocked", "room")

    def __init__(self, org: str, destination: Destination, limits: LaneLimits, allowance: Allowance) -> None:
        super().__init__(org, destination, limits)
        self.holds = Holds(allowance)
        self.flying: dict[int, list[Run]] = {}
        """What is in flight, by partition."""
        self.busy = self.flying
        self.room: dict[Key, dict[int, Run]] = {}
        self.changed: set[Key] = set()
        """Keys under which something waits in the room, and that were held anew or drain no more."""
        self.is_blocked = False
        """Whether all that waits here waits for a post to end, or for events that are before it."""

    def oldest(self) -> float | None:
        heads = [super().oldest(), next(iter(next(iter(self.room.values())).values())).at if self.room else None]
        return min((head for head in heads if head is not None), default=None)

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
        self.events += 1
        self.size += run.size
        return True

    def let_out(self, key: Key, origin: int | None = None) -> list[Run]:
        """Take one event out of the room, or all that wait under *key*, in their order."""
        waiting = self.room.get(key, {})
        origins = sorted(waiting) if origin is None else [origin] if origin in waiting else []
        runs = [waiting.pop(each) for each in origins]
        if not waiting:
            self.room.pop(key, None)
        for run in runs:
            self._forget(run)
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
