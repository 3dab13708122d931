"""The producer of the memory broker."""

from collections import deque
from collections.abc import Sequence

import msgspec

from headrace.broker.memory_cluster import Cluster
from headrace.broker.partitioning import partition_of
from headrace.broker.port import Acknowledge, Failed
from headrace.errors import BrokerError, BrokerUnavailable, QueueFull, RecordTooLarge
from headrace.model.record import Header, TopicPartition

RECORD_OVERHEAD = 500
"""Bytes that a queued record counts for beside its key and value, as with librdkafka."""


class Queued(msgspec.Struct, kw_only=True):
    """A record on its way, and once it is known what became of it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    partition: int | None
    on_ack: Acknowledge | None
    fails_at: float
    fault: BrokerError | None = None

    @property
    def bytes(self) -> int:
        return len(self.key or b"") + len(self.value or b"")


class MemoryProducer:
    """A `Producer`: a record is written as soon as the broker is there, and acknowledged by the next poll."""

    def __init__(
        self,
        cluster: Cluster,
        memory: int,
        patience: float | None,
        on_failed: Failed | None,
        max_message_bytes: int | None,
    ) -> None:
        self._cluster = cluster
        self._most = max_message_bytes or memory // 2
        self._memory = max(memory, self._most + RECORD_OVERHEAD)
        self._patience = float("inf") if patience is None else patience
        self._on_failed = on_failed
        self._waiting: deque[Queued] = deque()
        self._settled: deque[Queued] = deque()
        self._held = 0
        self._keyless = 0

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
        queued = Queued(
            topic=topic,
            key=key,
            value=value,
            headers=tuple(headers),
            partition=partition,
            on_ack=on_ack,
            fails_at=self._cluster.clock.monotonic() + self._patience,
        )
        with self._cluster.changed:
            if queued.bytes > self._most:
                queued.fault = RecordTooLarge(f"the record has {queued.bytes} bytes, and {self._most} are allowed")
                self._settled.append(queued)
            elif self._held + queued.bytes + RECORD_OVERHEAD > self._memory:
                raise QueueFull("the producer's queue is full; poll, and produce again")
            else:
                self._waiting.append(queued)
            self._held += queued.bytes + RECORD_OVERHEAD
            self._send()

    def poll(self, timeout: float = 0.0) -> int:
        with self._cluster.changed:
            self._cluster.changed.wait_for(self._has_news, timeout)
            self._send()
            settled = list(self._settled)
            self._settled.clear()
            self._held -= sum(queued.bytes + RECORD_OVERHEAD for queued in settled)
        for queued in settled:
            self._acknowledge(queued)
        return len(settled)

    def flush(self, timeout: float) -> int:
        deadline = self._cluster.clock.monotonic() + timeout
        self.poll()
        while len(self) and (left := deadline - self._cluster.clock.monotonic()) > 0:
            self.poll(left)
        return len(self)

    def close(self, timeout: float) -> int:
        given_up = self.flush(timeout)
        with self._cluster.changed:
            for queued in self._waiting:
                queued.fault = BrokerError("the producer gave the record up before the brokers acknowledged it")
            self._settled.extend(self._waiting)
            self._waiting.clear()
        self.poll()
        return given_up

    def partitions(self, topic: str, timeout: float) -> int:  # noqa: ARG002 - it is known at once
        self._cluster.check_up()
        return len(self._cluster.topic(topic).logs)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._settled)

    def _has_news(self) -> bool:
        return bool(self._settled) or (bool(self._waiting) and not self._cluster.is_down)

    def _send(self) -> None:
        now = self._cluster.clock.monotonic()
        while self._waiting and not self._cluster.is_down:
            queued = self._waiting.popleft()
            queued.fault = self._written(queued)
            self._settled.append(queued)
        while self._waiting and self._waiting[0].fails_at <= now:
            queued = self._waiting.popleft()
            queued.fault = BrokerUnavailable("the memory broker is stopped; `start` starts it again")
            self._settled.append(queued)

    def _written(self, queued: Queued) -> BrokerError | None:
        """Write a record; return why it could not be."""
        try:
            topic = self._cluster.topic(queued.topic)
            if queued.bytes > topic.max_message_bytes:
                return RecordTooLarge(f"the topic {queued.topic} takes {topic.max_message_bytes} bytes")
            where = TopicPartition(queued.topic, self._partition(queued, len(topic.logs)))
            self._cluster.write(where, queued.key, queued.value, queued.headers)
        except BrokerError as fault:
            return fault
        return None

    def _partition(self, queued: Queued, partitions: int) -> int:
        if queued.partition is not None:
            return queued.partition
        if queued.key is not None:
            return partition_of(queued.key, partitions)
        self._keyless += 1
        return self._keyless % partitions

    def _acknowledge(self, queued: Queued) -> None:
        if queued.on_ack is not None:
            queued.on_ack(queued.fault)
        elif queued.fault is not None and self._on_failed is not None:
            self._on_failed(queued.topic, queued.key, queued.value, queued.fault)
