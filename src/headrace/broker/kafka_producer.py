"""The idempotent producer, on confluent-kafka."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from headrace.broker.kafka_client import Connection
from headrace.broker.port import Acknowledge, Failed
from headrace.broker.settings import KafkaSettings
from headrace.errors import BrokerError, QueueFull, TopicMissing
from headrace.model.record import Header

RECORD_OVERHEAD = 500
"""Bytes that librdkafka needs for a record beside its key and its value, which are all that it counts itself."""

_BATCH_BYTES = 1_000_000
_MOST_BYTES = 1_000_000_000
_SLICE = 0.1
_RENEW_AFTER = 1.0
_PURGE_WITHIN = 1.0


class Refused(msgspec.Struct, frozen=True):
    """A record that the client did not even take; it is acknowledged by the next poll, as the others are."""

    topic: str
    key: bytes | None
    value: bytes | None
    error: KafkaError
    on_ack: Acknowledge | None


class KafkaProducer:
    """A `Producer`. After an error that ends its client for good it goes on with a new one.

    What the old client still held is then acknowledged with an error, for the caller to produce again.
    """

    def __init__(self, settings: KafkaSettings, config: dict[str, object], on_failed: Failed | None) -> None:
        self._config = config
        self._on_failed = on_failed
        self._connection = Connection(settings, self._on_fatal)
        self._refused: deque[Refused] = deque()
        self._renewing = threading.Lock()
        self._renewed_at = -_RENEW_AFTER
        self._is_broken = False
        self._retired: list[Producer] = []
        self._client = self._connection.open(Producer, config)
        self._is_closed = False

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
        to: dict[str, Any] = {} if partition is None else {"partition": partition}
        if on_ack is not None or self._on_failed is not None:
            to["on_delivery"] = self._report if on_ack is None else partial(self._report, on_ack=on_ack)
        if headers:
            to["headers"] = headers if isinstance(headers, list) else list(headers)
        try:
            self._client.produce(topic, value=value, key=key, **to)
        except BufferError:
            raise QueueFull("the producer's queue is full; poll, and produce again") from None
        except KafkaException as exception:
            self._refused.append(Refused(topic, key, value, exception.args[0], on_ack))

    def poll(self, timeout: float = 0.0) -> int:
        deadline = time.monotonic() + timeout
        if self._is_broken:
            self._renew()
        served = self._serve()
        while True:
            # confluent-kafka waits all of a longer timeout, even when something came.
            left = 0.0 if served else max(0.0, deadline - time.monotonic())
            served += self._client.poll(min(left, _SLICE))
            if served or left <= _SLICE:
                return served

    def flush(self, timeout: float) -> int:
        self._serve()
        self._client.flush(timeout)
        return len(self)

    def close(self, timeout: float) -> int:
        if self._is_closed:
            return 0
        self._is_closed = True
        given_up = self.flush(timeout)
        self._give_up(self._client)
        self._serve()
        if not len(self._client):
            self._client.close()
        return given_up

    def partitions(self, topic: str, timeout: float) -> int:
        try:
            found = self._client.list_topics(topic, timeout=timeout).topics[topic]
        except KafkaException as error:
            raise self._connection.fault(error) from None
        if found.error is not None:
            raise self._connection.fault(found.error)
        if not found.partitions:
            raise TopicMissing(f"the topic {topic} does not exist: `headrace topics apply` makes it")
        return len(found.partitions)

    def __len__(self) -> int:
        return len(self._client) + len(self._refused) + sum(map(len, self._retired))

    def _report(self, error: KafkaError | None, message: Message, on_ack: Acknowledge | None = None) -> None:
        if error is None:
            if on_ack is not None:
                on_ack(None)
            return
        self._tell(self._connection.fault(error), str(message.topic()), message.key(), message.value(), on_ack)

    def _tell(
        self, fault: BrokerError, topic: str, key: bytes | None, value: bytes | None, on_ack: Acknowledge | None
    ) -> None:
        if on_ack is not None:
            on_ack(fault)
        elif self._on_failed is not None:
            self._on_failed(topic, key, value, fault)

    def _serve(self) -> int:
        """Acknowledge what needs no broker: records that were refused, and what retired clients held."""
        served = 0
        while self._refused:
            refused = self._refused.popleft()
            fault = self._connection.fault(refused.error)
            self._tell(fault, refused.topic, refused.key, refused.value, refused.on_ack)
            served += 1
        for client in list(self._retired):
            served += client.poll(0)
            if not len(client):
                self._retired.remove(client)
        return served

    def _on_fatal(self, _error: KafkaError) -> None:
        self._is_broken = True

    def _renew(self) -> None:
        """Replace a client that will never write again, at most once a second."""
        with self._renewing:
            now = time.monotonic()
            if not self._is_broken or now - self._renewed_at < _RENEW_AFTER:
                return
            self._renewed_at = now
            broken, self._client = self._client, self._connection.open(Producer, self._config)
            self._is_broken = False
            self._retired.append(broken)
            broken.purge()

    def _give_up(self, client: Producer) -> None:
        client.purge()
        deadline = time.monotonic() + _PURGE_WITHIN
        while len(client) and time.monotonic() < deadline:
            client.poll(0.05)


def producer_config(
    *, memory: int, linger: float, compression: str, patience: float | None, max_message_bytes: int | None
) -> dict[str, object]:
    """Return librdkafka's configuration of a producer; the parameters are those of `Broker.producer`.

    Half of *memory* is for keys and values, half for what librdkafka needs beside them.
    """
    payload = int(max(memory // 2, max_message_bytes or 0, 64 << 10))
    largest = int(min(max_message_bytes or payload, _MOST_BYTES))  # a Size would be written as "4MiB"
    linger_ms = int(linger * 1000)
    return {
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",
        "compression.type": compression,
        "linger.ms": linger_ms,
        # Zero is for ever: a record that timed out would be produced again, behind those that followed it.
        "message.timeout.ms": 0 if patience is None else max(int(patience * 1000), linger_ms + 1),
        "request.timeout.ms": 15_000,
        "message.max.bytes": max(largest, 1000),
        # Brokers hold a topic's limit against whole batches.
        "batch.size": min(_BATCH_BYTES, largest),
        "queue.buffering.max.kbytes": -(-payload // 1024),
        "queue.buffering.max.messages": max(100, memory // 2 // RECORD_OVERHEAD),
    }
