"""An emitter's surroundings that a test holds in its hand: an outlet that remembers, a producer that obeys."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import msgspec
import pytest

from headrace.broker.port import Acknowledge, Failed
from headrace.emitter.encoding import Encoding
from headrace.emitter.session import SessionLog
from headrace.errors import BrokerError, BrokerUnavailable, QueueFull
from headrace.model.record import Header


class RememberingOutlet:
    """Takes every event and keeps it, decoded."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.values: list[bytes] = []
        self.events: list[dict[str, Any]] = []
        self.takes = True
        self.encode = Encoding(lambda: None)
        self._ids = count()

    def stamp(self) -> tuple[str, str]:
        return f"id-{next(self._ids)}", "2026-11-23T10:00:00.000000Z"

    def take(self, key: bytes, value: bytes) -> bool:
        if self.takes:
            self.keys.append(key)
            self.values.append(value)
            self.events.append(msgspec.json.decode(value))
        return self.takes

    def log(self, seq: int = 0, traceparent: str | None = None, **data: Any) -> SessionLog:
        return SessionLog(self, org="o", bot="b", session="s", seq=seq, traceparent=traceparent, data=data)

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


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

    def poll(self, timeout: float = 0.0) -> int:
        for error in self._answers:
            sent = self.held.pop(0)
            if error is None:
                self.acknowledged.append(sent.value)
            elif self.on_failed and sent.on_ack is None:
                self.on_failed(sent.topic, sent.key, sent.value, error)
            if sent.on_ack:
                sent.on_ack(error)
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


@pytest.fixture
def outlet() -> RememberingOutlet:
    return RememberingOutlet()


@pytest.fixture
def producer() -> ObedientProducer:
    return ObedientProducer()
