"""A consumer of the simulated cluster: polls return part, commits travel, memberships end."""

from collections.abc import Iterable, Mapping, Sequence

from headrace.broker.port import Committed, RebalanceListener
from headrace.errors import BrokerError
from headrace.model.record import Record, TopicPartition
from simulation.group import Coordinator
from simulation.scene import Killed, Life, Scene

NEVER = 0
"""The member number of who is in no group."""


class SimulatedConsumer:
    """A `Consumer` that blocks by letting the rest of the world go on."""

    def __init__(self, scene: Scene, life: Life, group: Coordinator, listener: RebalanceListener) -> None:
        self._scene = scene
        self._life = life
        self._group = group
        self._listener = listener
        self._topics: Sequence[str] = ()
        self._following: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._skipped: set[tuple[TopicPartition, int]] = set()
        self._epochs: dict[TopicPartition, int] = {}
        self._answered_at = 0.0
        self._is_closed = False
        self.member = NEVER

    def subscribe(self, topics: Sequence[str]) -> None:
        self._topics = tuple(topics)

    def poll(self, most: int, timeout: float) -> Sequence[Record]:
        self._stay_alive()
        if timeout and self._scene.random.random() < 0.1:
            self.block(timeout)
        if self._topics:
            self._rebalance()
        return self._fetch(min(most, self._scene.random.choice((1, 3, 10, most))))

    def commit(self, places: Mapping[TopicPartition, Committed], *, wait: bool = False) -> None:
        self._stay_alive()
        mine = {where: place for where, place in places.items() if where in self._following}
        if not mine:
            return
        # One connection: a later commit does not overtake an earlier one.
        now = self._scene.timeline.now
        self._answered_at = max(self._answered_at + 1e-6, now + self._scene.random.uniform(0.001, 0.02))
        if self._scene.has("commits fail") and self._scene.random.random() < 0.5:
            if wait:
                raise BrokerError("the coordinator did not answer")
            return
        member = self.member
        if not wait:
            self._scene.timeline.after(self._answered_at - now, lambda: self._apply(member, mine))
            return
        self.block(self._answered_at - now)
        is_taken = self._apply(member, mine)
        self._stay_alive()
        if not is_taken:
            raise BrokerError("the group has gone on without this member")

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self._paused |= self._following.keys() & set(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self._paused -= set(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition in self._following:
            self._following[partition] = offset

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._following:
            self._listener.on_revoke(sorted(self._following))
        self._following.clear()
        self._group.expire(self.member)

    def block(self, seconds: float) -> None:
        """Keep the owner thread for a while, and for as long as its process is frozen."""
        self._scene.timeline.run(self._scene.timeline.now + seconds)
        while self._life.is_frozen and not self._life.is_dead:
            self._scene.timeline.run(self._scene.timeline.now + 0.2)
        self._stay_alive()

    def _stay_alive(self) -> None:
        if self._life.is_dead:
            raise Killed

    def _apply(self, member: int, places: Mapping[TopicPartition, Committed]) -> bool:
        scene, taken = self._scene, False

        def apply() -> None:
            nonlocal taken
            before = dict(self._group.places)
            taken = self._group.commit(member, places)
            if taken:
                scene.judge.committed(before, places, scene.cluster)

        scene.effect(self._life, lambda: f"commits {'' if taken else 'in vain '}{_told(places)}", apply)
        return taken

    def _rebalance(self) -> None:
        if not self._group.is_member(self.member):
            lost = sorted(self._following)
            self._following.clear()
            self._paused.clear()
            if lost:
                self._scene.note(self._life.name, f"lost {_named(lost)}")
                self._listener.on_lost(lost)
            self.member = self._group.join(self._topics)
        if going := self._group.going(self.member, self._following):
            self._scene.note(self._life.name, f"revoking {_named(going)}")
            self._listener.on_revoke(going)
            for where in going:
                del self._following[where]
                self._paused.discard(where)
            self._scene.note(self._life.name, f"revoked {_named(going)}")
            self._group.release(self.member, going)
        if self._group.is_member(self.member) and (places := self._group.arriving(self.member)):
            for where in places:
                self._epochs[where] = self._epochs.get(where, 0) + 1
            self._following |= {where: place.offset if place else 0 for where, place in places.items()}
            told = {where: place or Committed(0) for where, place in places.items()}
            self._scene.note(self._life.name, f"assigned {_told(told)}")
            self._listener.on_assign(places)
            self._life.nudge()

    def _fetch(self, most: int) -> Sequence[Record]:
        """Return up to *most* records, beginning with any partition."""
        logs = self._scene.logs
        ready = [where for where, at in self._following.items() if logs[where].end > at and where not in self._paused]
        if not ready:
            return ()
        self._scene.random.shuffle(ready)
        polled: list[Record] = []
        for where in ready:
            start = self._shift(where, self._following[where], logs[where].end)
            records = logs[where].between(start, start + most - len(polled))
            if records:
                polled += records
                self._following[where] = start + len(records)
                self._scene.note(self._life.name, f"polls {where} {start}-{start + len(records) - 1}")
        self._scene.judge.polled(self._life.name, self._epochs, polled)
        self._life.nudge()
        return polled

    def _shift(self, where: TopicPartition, start: int, end: int) -> int:
        """Begin too early (records come twice) or too late (a poll lost some, once), when the weather is so."""
        if self._scene.has("repeats") and self._scene.random.random() < 0.3:
            return max(0, start - 2)
        if start and (where, start) not in self._skipped and self._scene.has("skips"):
            self._skipped.add((where, start))
            return min(end, start + 1)
        return start


def _named(places: Iterable[TopicPartition]) -> str:
    return ", ".join(map(str, places))


def _told(places: Mapping[TopicPartition, Committed]) -> str:
    return ", ".join(f"{where} to {place.offset}" for where, place in places.items())
