"""The real broker: Apache Kafka through confluent-kafka."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import confluent_kafka as ck
import structlog
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource
from confluent_kafka.admin import NewPartitions, NewTopic, ResourceType

from headrace.broker.port import Acknowledge, Committed, Failed, RebalanceListener
from headrace.broker.settings import KafkaSettings
from headrace.errors import BrokerError, BrokerUnavailable, QueueFull, RecordTooLarge, TopicMissing
from headrace.model.record import Header, Record, TopicPartition
from headrace.model.topic import TopicState

log = structlog.get_logger(__name__)


def _quiet(error: ck.KafkaError) -> None:
    log.debug("kafka.error", error=str(error))


def _wrap(error: ck.KafkaError | ck.KafkaException) -> BrokerError:
    inner = error.args[0] if isinstance(error, ck.KafkaException) else error
    code = inner.code() if hasattr(inner, "code") else None
    if code == ck.KafkaError.MSG_SIZE_TOO_LARGE:
        return RecordTooLarge(str(inner))
    if code in (ck.KafkaError.UNKNOWN_TOPIC_OR_PART, ck.KafkaError._UNKNOWN_TOPIC):
        return TopicMissing(str(inner))
    if code in (ck.KafkaError._TRANSPORT, ck.KafkaError._ALL_BROKERS_DOWN, ck.KafkaError._TIMED_OUT):
        return BrokerUnavailable("nobody answers: is Kafka running? `headrace kafka start` starts one for development")
    return BrokerError(str(inner))


class KafkaBroker:
    def __init__(self, settings: KafkaSettings) -> None:
        self._base: dict[str, Any] = {
            "bootstrap.servers": settings.bootstrap_servers,
            "error_cb": _quiet,
            "log_level": 2,
            "reconnect.backoff.max.ms": 1000,
            "socket.keepalive.enable": True,
        }

    def consumer(self, group: str, listener: RebalanceListener) -> "KafkaConsumer":
        return KafkaConsumer(self._base, group, listener)

    def producer(
        self,
        *,
        memory: int,
        linger: float = 0.005,
        compression: str = "lz4",
        patience: float | None = None,
        on_failed: Failed | None = None,
    ) -> "KafkaProducer":
        return KafkaProducer(self._base, memory, linger, compression, patience, on_failed)

    def reader(self) -> "KafkaReader":
        return KafkaReader(self._base)

    def admin(self) -> "KafkaAdmin":
        return KafkaAdmin(self._base)


class KafkaConsumer:
    def __init__(self, base: dict[str, Any], group: str, listener: RebalanceListener) -> None:
        self._listener = listener
        self._owned: set[TopicPartition] = set()
        self._consumer = ck.Consumer(
            base
            | {
                "group.id": group,
                "group.protocol": "consumer",
                "group.remote.assignor": "range",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
                "queued.max.messages.kbytes": 65536,
                "queued.min.messages": 20000,
            }
        )
        self._closed = False

    def subscribe(self, topics: Sequence[str]) -> None:
        self._consumer.subscribe(list(topics), on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lost)

    def _assign(self, consumer: Any, parts: list[ck.TopicPartition]) -> None:
        committed = consumer.committed([ck.TopicPartition(p.topic, p.partition) for p in parts], timeout=10)
        places = {
            TopicPartition(t.topic, t.partition): Committed(t.offset, t.metadata or "") if t.offset >= 0 else None
            for t in committed
        }
        consumer.incremental_assign(
            [
                ck.TopicPartition(t.topic, t.partition, t.offset if t.offset >= 0 else ck.OFFSET_BEGINNING)
                for t in committed
            ]
        )
        self._owned |= set(places)
        self._listener.on_assign(places)

    def _revoke(self, consumer: Any, parts: list[ck.TopicPartition]) -> None:
        places = [TopicPartition(p.topic, p.partition) for p in parts]
        self._listener.on_revoke(places)
        self._owned -= set(places)
        consumer.incremental_unassign(parts)

    def _lost(self, consumer: Any, parts: list[ck.TopicPartition]) -> None:
        places = [TopicPartition(p.topic, p.partition) for p in parts]
        self._listener.on_lost(places)
        self._owned -= set(places)
        consumer.incremental_unassign(parts)

    def poll(self, most: int, timeout: float) -> Sequence[Record]:
        return [m for m in self._consumer.consume(most, timeout) if m.error() is None]

    def commit(self, places: Mapping[TopicPartition, Committed], *, wait: bool = False) -> None:
        offsets = [
            ck.TopicPartition(p.topic, p.partition, c.offset, c.metadata) for p, c in places.items() if p in self._owned
        ]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=not wait)
        except ck.KafkaException as error:
            if wait:
                raise _wrap(error) from None

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        if parts := [ck.TopicPartition(*p) for p in partitions]:
            self._consumer.pause(parts)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        if parts := [ck.TopicPartition(*p) for p in partitions]:
            self._consumer.resume(parts)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._consumer.seek(ck.TopicPartition(partition.topic, partition.partition, offset))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._consumer.close()


class KafkaProducer:
    def __init__(
        self,
        base: dict[str, Any],
        memory: int,
        linger: float,
        compression: str,
        patience: float | None,
        on_failed: Failed | None,
    ) -> None:
        self._on_failed = on_failed
        config = base | {
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": linger * 1000,
            "compression.type": compression,
            "message.timeout.ms": 0 if patience is None else int(patience * 1000),
            "message.max.bytes": 1_000_000_000,
            "partitioner": "murmur2_random",
            "queue.buffering.max.kbytes": max(1024, memory // 1024 // 2),
            "queue.buffering.max.messages": max(1000, memory // 1000),
        }
        if on_failed is not None:
            # Not `delivery.report.only.error`: it would silence the acknowledgements of records with `on_ack`, too.
            config["on_delivery"] = self._failed
        self._producer = ck.Producer(config)

    def _failed(self, error: ck.KafkaError | None, message: ck.Message) -> None:
        if error is not None and self._on_failed is not None:
            self._on_failed(message.topic(), message.key(), message.value(), _wrap(error))

    def _acknowledged(self, on_ack: Acknowledge, error: ck.KafkaError | None, message: ck.Message) -> None:
        self._failed(error, message)
        on_ack(None if error is None else _wrap(error))

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
        extra: dict[str, Any] = {} if partition is None else {"partition": partition}
        if on_ack is not None:
            extra["on_delivery"] = partial(self._acknowledged, on_ack)
        try:
            self._producer.produce(topic, value=value, key=key, headers=list(headers), **extra)
        except BufferError:
            raise QueueFull("the producer's queue is full") from None
        except ck.KafkaException as error:
            wrapped = _wrap(error)
            if self._on_failed is not None:
                self._on_failed(topic, key, value, wrapped)
            if on_ack is not None:
                on_ack(wrapped)

    def poll(self, timeout: float = 0.0) -> int:
        return int(self._producer.poll(timeout))

    def flush(self, timeout: float) -> int:
        return int(self._producer.flush(timeout))

    def close(self, timeout: float) -> int:
        left = int(self._producer.flush(timeout))
        if left:
            self._producer.purge()
            self._producer.flush(1)
        return left

    def partitions(self, topic: str, timeout: float) -> int:
        try:
            found = self._producer.list_topics(topic, timeout=timeout).topics[topic]
        except ck.KafkaException as error:
            raise _wrap(error) from None
        if found.error is not None:
            raise TopicMissing(topic)
        return len(found.partitions)

    def __len__(self) -> int:
        return len(self._producer)


class KafkaReader:
    def __init__(self, base: dict[str, Any]) -> None:
        self._base = base
        self._consumer = self._new("headrace.reader")

    def _new(self, group: str) -> Any:
        return ck.Consumer(
            self._base | {"group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 20}
        )

    def topics(self) -> Mapping[str, int]:
        try:
            return {n: len(t.partitions) for n, t in self._consumer.list_topics(timeout=5).topics.items()}
        except ck.KafkaException as error:
            raise _wrap(error) from None

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        try:
            return {
                p: self._consumer.get_watermark_offsets(ck.TopicPartition(topic, p), timeout=5)
                for p in range(self.topics()[topic])
            }
        except ck.KafkaException as error:
            raise _wrap(error) from None

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        consumer = self._new(group)
        try:
            found = consumer.committed([ck.TopicPartition(*p) for p in partitions], timeout=10)
        except ck.KafkaException as error:
            raise _wrap(error) from None
        finally:
            consumer.close()
        return {
            TopicPartition(t.topic, t.partition): Committed(t.offset, t.metadata or "") for t in found if t.offset >= 0
        }

    def read(self, partition: TopicPartition, start: int, stop: int) -> Iterator[Record]:
        if start >= stop:
            return
        self._consumer.assign([ck.TopicPartition(partition.topic, partition.partition, start)])
        deadline = time.monotonic() + 20
        while True:
            for message in self._consumer.consume(1000, 0.05):
                if message.error() is not None:
                    continue
                deadline = time.monotonic() + 20
                if message.offset() >= stop:
                    return
                yield message
                if message.offset() + 1 >= stop:
                    return
            if time.monotonic() > deadline:
                raise BrokerError(f"{partition} did not give its records in time")

    def close(self) -> None:
        self._consumer.close()


class KafkaAdmin:
    def __init__(self, base: dict[str, Any]) -> None:
        self._admin = AdminClient(base)

    def describe(self) -> Mapping[str, TopicState]:
        try:
            topics = {n: t for n, t in self._admin.list_topics(timeout=5).topics.items() if not n.startswith("__")}
            resources = [ConfigResource(ResourceType.TOPIC, n) for n in topics]
            configs = self._admin.describe_configs(resources, request_timeout=10) if resources else {}
            explicit = {
                r.name: {
                    e.name: e.value
                    for e in f.result().values()
                    if e.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
                }
                for r, f in configs.items()
            }
        except ck.KafkaException as error:
            raise _wrap(error) from None
        return {
            n: TopicState(
                name=n,
                partitions=len(t.partitions),
                replication=min((len(p.replicas) for p in t.partitions.values()), default=0),
                config=explicit.get(n, {}),
            )
            for n, t in topics.items()
        }

    def create(self, topic: TopicState) -> None:
        new = NewTopic(topic.name, topic.partitions, topic.replication, config=dict(topic.config))
        self._wait(self._admin.create_topics([new]))

    def add_partitions(self, topic: str, partitions: int) -> None:
        self._wait(self._admin.create_partitions([NewPartitions(topic, partitions)]))

    def configure(self, topic: str, config: Mapping[str, str]) -> None:
        entries = [
            ConfigEntry(n, v, incremental_operation=AlterConfigOpType.SET) for n, v in config.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
        self._wait(self._admin.incremental_alter_configs([resource]))

    def _wait(self, futures: Mapping[Any, Any]) -> None:
        try:
            for future in futures.values():
                future.result(timeout=15)
        except ck.KafkaException as error:
            raise _wrap(error) from None
