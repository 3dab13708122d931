"""One process's emitter without its thread, and a producer that obeys: tests take each step themselves."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, cast

import msgspec

from headrace.broker.port import Acknowledge, Failed
from headrace.emitter.backlog import Backlog
from headrace.emitter.carriage import Carriage
from headrace.emitter.claim import Claim
from headrace.emitter.intake import Intake
from headrace.emitter.journal import Journal
from headrace.emitter.placing import Ordering, Placing
from headrace.emitter.returns import Returns
from headrace.emitter.settings import EmitterSettings
from headrace.errors import BrokerError, BrokerUnavailable, QueueFull
from headrace.model.record import Header


class Sent(msgspec.Struct):
    """One record that the producer holds."""

    topic: str
    key: bytes
    value: bytes
    partition: int | None
    on_ack: Acknowledge | None


class ObedientProducer:
    """A producer of the port whose room, answers and partitions the test decides."""

    def __init__(self, room: int = 1000) -> None:
        self.room = room
        self.known_partitions: int | None = 12
        self.held: list[Sent] = []
        self.acknowledged: list[bytes] = []
        self.on_failed: Failed | None = None
        self._answers: list[BrokerError | None] = []

    def producer(self, *, on_failed: Failed | None = None, **settings: object) -> "ObedientProducer":
        """Be the broker, too."""
        self.on_failed = on_failed
        return self

    def produce(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
        on_ack: Acknowledge | None = None,
    ) -> None:
        assert key is not None
        assert value is not None
        assert headers == [("content-type", b"application/cloudevents+json")]
        if len(self.held) >= self.room:
            raise QueueFull("no room")
        self.held.append(Sent(topic, key, value, partition, on_ack))

    def answer(self, count: int, error: BrokerError | None = None) -> None:
        """Let the next poll acknowledge, or fail, the oldest *count* records."""
        self._answers += [error] * count

    def tell(self, place: int, error: BrokerError | None) -> None:
        """Acknowledge, or fail, one of the records that are held, at once."""
        sent = self.held.pop(place)
        if error is None:
            self.acknowledged.append(sent.value)
        elif self.on_failed and sent.on_ack is None:
            self.on_failed(sent.topic, sent.key, sent.value, error)
        if sent.on_ack:
            sent.on_ack(error)

    def poll(self, timeout: float = 0.0) -> int:
        for error in self._answers:
            self.tell(0, error)
        served, self._answers = len(self._answers), []
        return served

    def flush(self, timeout: float) -> int:
        self.poll()
        return len(self.held)

    def close(self, timeout: float) -> int:
        left = len(self.held)
        self.answer(left, BrokerError("purged"))
        self.poll()
        return left

    def partitions(self, topic: str, timeout: float) -> int:
        if self.known_partitions is None:
            raise BrokerUnavailable("nobody answers")
        return self.known_partitions

    def __len__(self) -> int:
        return len(self.held)


class Emitting:
    """One process's intake and carriage, without its thread: a test takes each step itself."""

    def __init__(
        self,
        directory: Path,
        producer: ObedientProducer,
        ordering: Ordering = "any",
        room: int = 1 << 20,
        segment: int = 2000,
    ) -> None:
        self.producer = producer
        self.journal = Journal(directory, capacity=1 << 24, segment_bytes=segment)
        self.intake = Intake("t", self.journal, room=room, most=1 << 20)
        placing = Placing(ordering)
        returns = Returns()
        self.backlog = Backlog(self.journal, directory, intake=self.intake, returns=returns, partition=placing.of)
        self.carriage = Carriage(
            topic="t",
            most=1 << 20,
            broker=cast(Any, producer),
            settings=EmitterSettings(),
            intake=self.intake,
            journal=self.journal,
            backlog=self.backlog,
            returns=returns,
            placing=placing,
        )
        self._now = 0.0
        self.emitted = 0

    def emit(self, count: int = 1, durability: str = "memory") -> None:
        take = self.intake.take if durability == "memory" else self.intake.take_journaled
        for _ in range(count):
            assert take(b"o/s", b'{"id":"%08d"}' % self.emitted)
            self.emitted += 1

    @property
    def part(self) -> str | None:
        """The name of its part of the journal."""
        return self.journal.part

    def pass_(self, seconds: float) -> None:
        """Let time pass, and the courier take one step."""
        self._now += seconds
        self.carriage.step(self._now)

    def step(self, times: int = 1, answer: int = 0) -> None:
        for _ in range(times):
            self.producer.answer(min(answer, len(self.producer.held)))
            self.pass_(0.01)

    def drain(self) -> None:
        """Let Kafka take everything, and time pass, until nothing is left."""
        self.producer.room = max(self.producer.room, 100)
        self.pass_(1.0)
        for _ in range(1000):
            if not (self.carriage.stats().unacknowledged or self.backlog.busy):
                return
            self.producer.answer(len(self.producer.held))
            self.pass_(1.0)
        raise AssertionError(f"something does not move on: {self.carriage.stats()}")

    def values(self, count: int) -> list[bytes]:
        return [b'{"id":"%08d"}' % number for number in range(count)]

    def claims(self) -> set[Claim]:
        """Return all that this process owns in the journal's directory."""
        legacy = self.backlog._legacy
        own = {self.journal._claim} if self.journal._claim else set()
        return own | set(legacy._in_use) | {claim for claim, _ in legacy._parts}

    def lose_what_is_under_way(self, random: Random) -> None:
        """Let everything that the producer holds come back, in any order and not at once: a client ended for good."""
        doomed = len(self.producer.held)
        for _ in range(random.randint(min(1, doomed), doomed)):
            self.producer.tell(random.randrange(doomed), BrokerUnavailable("purged"))
            doomed -= 1
        self.pass_(0.01)
        self.pass_(1.5)
        for left in range(doomed, 0, -1):
            self.producer.tell(random.randrange(left), BrokerUnavailable("purged"))

    def kill(self) -> None:
        """End as by kill -9: the kernel closes what was open, and nothing else happens."""
        for claim in self.claims():
            claim.abandon()
        self.backlog.abandon()
