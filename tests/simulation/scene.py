"""What all parts of one run share: time, chance, the cluster's logs, the judge, and the count of effects."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import NamedTuple, Protocol

from headrace.broker.memory_cluster import Cluster, Log, MemoryRecord, Topic
from headrace.broker.port import TopicState
from headrace.core.schedule import RetrySchedule
from headrace.model.record import Header, TopicPartition
from headrace.wire.topics import TopicNames
from simulation.judge import Judge
from simulation.script import Fault, Script, Weather
from simulation.timeline import Doer, Timeline

NAMES = TopicNames()


class Killed(BaseException):
    """Unwinds the owner thread of a worker that was killed while it was blocked."""


class Life(Doer, Protocol):
    """One life of one worker process."""

    name: str

    def suffer(self, fault: Fault) -> None:
        """Take a blow."""
        ...

    def nudge(self) -> None:
        """Have something to do for the owner thread."""
        ...


class Line(NamedTuple):
    """One line of a trace."""

    at: float
    effect: int
    who: str
    what: str

    def __str__(self) -> str:
        number = f"#{self.effect}" if self.effect else ""
        return f"{self.at:9.4f} {number:>5} {self.who:<6} {self.what}"


class Scene:
    """An *effect* is what the world keeps: a write to a log, a commit, a post that an org took."""

    def __init__(self, script: Script, *, traced: bool = False) -> None:
        self.script = script
        self.random = Random(script.seed * 7919 + 1)
        self.timeline = Timeline(Random(script.seed * 7919 + 2))
        self.schedule = RetrySchedule(script.tiers, script.give_up_after)
        self.cluster = Cluster(self.timeline)
        self.topics = [NAMES.events, *map(NAMES.retry, script.tiers)]
        self.judge = Judge(self.timeline, script, NAMES)
        self.trace: list[Line] | None = [] if traced else None
        self.effects = 0
        self.healed_at = 0.0
        self.is_healed = False
        self._by_effect: dict[int, list[Fault]] = {}
        for fault in script.faults:
            self._by_effect.setdefault(fault.effect, []).append(fault)
        for name in (*self.topics, NAMES.dead, NAMES.attempts):
            self.cluster.topics[name] = Topic(TopicState(name=name, partitions=script.partitions, replication=1))
        self.logs: Mapping[TopicPartition, Log] = {
            TopicPartition(name, number): log
            for name, topic in self.cluster.topics.items()
            for number, log in enumerate(topic.logs)
        }

    def note(self, who: str, what: str, effect: int = 0) -> None:
        """Write a line into the trace, if there is one."""
        if self.trace is not None:
            self.trace.append(Line(self.timeline.now, effect, who, what))

    def effect(self, cause: Life | None, what: Callable[[], str], apply: Callable[[], object]) -> bool:
        """Let *apply* change the world, unless its cause is killed right before; tell whether it did."""
        self.effects += 1
        number = self.effects
        faults = self._by_effect.get(number, ()) if cause is not None and not self.is_healed else ()
        who = cause.name if cause is not None else "-"
        for fault in faults:
            if fault.is_before and cause is not None:
                self.strike(cause, fault)
                if fault.blow == "crash":
                    return False
        apply()
        if self.trace is not None:
            self.note(who, what(), number)
        for fault in faults:
            if not fault.is_before and cause is not None:
                self.strike(cause, fault)
        return True

    def write(
        self, where: TopicPartition, key: bytes | None, value: bytes | None, headers: Sequence[Header]
    ) -> MemoryRecord:
        """Append a record to a log."""
        with self.cluster.changed:
            self.cluster.write(where, key, value, headers)
        log = self.logs[where]
        return log.between(log.end - 1, log.end)[0]

    def strike(self, life: Life, fault: Fault) -> None:
        """Let *life* suffer, and remember when that is over."""
        if life.is_dead:
            return
        self.note(life.name, f"{fault.blow} for {fault.span:.2f} s")
        self.healed_at = max(self.healed_at, self.timeline.now + fault.span)
        life.suffer(fault)

    def has(self, weather: Weather) -> bool:
        """Tell whether Kafka has this weather now."""
        now = self.timeline.now
        return any(front.weather == weather and front.start <= now < front.stop for front in self.script.fronts)
