"""One run: bots emit, workers live and die, and when all faults are over everything must come to rest."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec
import structlog

from headrace.broker.memory_reader import MemoryReader
from headrace.ledger.audit import audit
from headrace.ledger.report import report
from headrace.model.mark import NOBODY
from headrace.model.record import TopicPartition
from simulation.group import Coordinator
from simulation.judge import Event, Verdict
from simulation.life import Life
from simulation.scene import NAMES, Line, Scene
from simulation.script import Emission, Fault, Script
from simulation.timeline import RunsInCircles

PATIENCE = 120.0
"""Seconds after the last fault within which everything must have come to rest: promise 10."""

PEEP = 0.5
"""Seconds between two looks whether it has."""


class Result(msgspec.Struct, frozen=True):
    """What one run came to."""

    script: Script
    verdicts: Sequence[Verdict]
    effects: int
    seconds: float
    """Virtual time."""
    trace: Sequence[Line]


def play(script: Script, *, traced: bool = False) -> Result:
    """Run *script* from its first event to rest, and judge it."""
    with _silence():
        world = World(Scene(script, traced=traced))
        world.run()
    scene = world.scene
    return Result(script, scene.judge.verdicts, scene.effects, scene.timeline.now, scene.trace or ())


class World:
    """The workers of a script, and who else acts in it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._group = Coordinator(scene.cluster.group(NAMES.group), scene.cluster.topics, scene.random)
        self._lives: dict[int, Life] = {}
        self._born = 0

    def run(self) -> None:
        scene, timeline = self.scene, self.scene.timeline
        for worker, at in enumerate(scene.script.workers):
            timeline.after(at, partial(self._begin, worker))
        for number, emission in enumerate(scene.script.emissions):
            timeline.after(emission.at, partial(self._emit, number, emission))
        for fault in scene.script.faults:
            if not fault.effect:
                timeline.after(fault.at, partial(self._strike, fault))
        try:
            while timeline.now < (heals_at := max(scene.script.heals_at, scene.healed_at)):
                timeline.run(heals_at)
            scene.is_healed = True
            scene.note("-", "all faults are over")
            self._come_to_rest(timeline.now + PATIENCE)
        except RunsInCircles:
            scene.judge.blame("hang", "the world runs in circles")
        for life in self._lives.values():
            life.die()
        if not scene.judge.verdicts:
            self._audit()

    def _come_to_rest(self, deadline: float) -> None:
        scene, timeline = self.scene, self.scene.timeline
        while not self._is_quiet():
            if timeline.now >= deadline:
                scene.judge.blame("hang", f"{PATIENCE:g} s after the last fault: {self._open()}")
                return
            if any(verdict.flaw == "broke" for verdict in scene.judge.verdicts):
                return
            timeline.run(timeline.now + PEEP)
        scene.judge.close()

    def _is_quiet(self) -> bool:
        return not any(True for _ in self._uncommitted())

    def _uncommitted(self) -> Iterator[tuple[TopicPartition, int, int]]:
        for topic in self.scene.topics:
            for number, log in enumerate(self.scene.cluster.topics[topic].logs):
                where = TopicPartition(topic, number)
                place = self._group.places.get(where)
                if (committed := place.offset if place else 0) < log.end:
                    yield where, committed, log.end

    def _open(self) -> str:
        return ", ".join(f"{where} is committed to {at} of {end}" for where, at, end in self._uncommitted())

    def _begin(self, worker: int) -> None:
        self._born += 1
        life = self._lives[worker] = Life(self.scene, self._group, worker, f"w{worker}.{self._born}", self._rise)
        life.start()

    def _rise(self, life: Life, delay: float) -> None:
        """Start a worker again some time after it was killed or stopped."""
        if self._lives[life.worker] is life:
            self.scene.timeline.after(delay, partial(self._begin, life.worker))

    def _strike(self, fault: Fault) -> None:
        life = self._lives.get(fault.worker)
        if life is not None:
            self.scene.strike(life, fault)

    def _emit(self, number: int, emission: Emission) -> None:
        scene, org = self.scene, self.scene.script.orgs[emission.org]
        name = f"{org.name}-{emission.session}-{number}"
        value = b'{"specversion":"1.0","id":"%b","source":"/orgs/%b/bots/b","type":"t"}'
        value = b"{" if emission.kind == "broken" else value % (name.encode(), org.name.encode())
        where = TopicPartition(NAMES.events, emission.partition)
        offset = scene.cluster.log(where).end
        event = Event(
            id=name, org=org.name, session=emission.session, emission=emission, partition=where.partition, offset=offset
        )
        scene.judge.emitted(event, (NOBODY,) if emission.kind == "broken" else org.routes)
        key = f"{org.name}/s{emission.session}".encode()
        scene.effect(None, lambda: f"emits {where}/{offset}: {name}", lambda: scene.write(where, key, value, ()))
        for life in self._lives.values():
            life.nudge()

    def _audit(self) -> None:
        """Close the books, and compare them with what everybody saw."""
        routes = {org.name: org.routes for org in self.scene.script.orgs}
        books = report(audit(MemoryReader(self.scene.cluster), NAMES, lambda org: routes.get(org, ()), deep=True))
        debts = [debt for event in self.scene.judge.events.values() for debt in event.debts.values()]
        letters = sum(log.end for log in self.scene.cluster.topics[NAMES.dead].logs)
        told = (books.accepted, books.rejected, books.lost, books.in_flight, books.retrying, books.balanced)
        if told != (len(debts), letters, 0, 0, 0, True):
            self.scene.judge.blame("books", f"{len(debts)} debts, {letters} dead letters; {told}; {books.problems}")
        elif books.delivered < sum(debt.is_taken and not debt.is_dead for debt in debts):
            self.scene.judge.blame("books", f"the books tell of {books.delivered} deliveries, fewer than were taken")


@contextmanager
def _silence() -> Iterator[None]:
    """Say nothing to the log of the process."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
