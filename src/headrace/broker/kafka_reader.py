"""Reads topics without joining a group, on confluent-kafka."""

import time
from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import OffsetSpec

from headrace.broker.kafka_admin import Inquiry
from headrace.broker.kafka_client import ANSWER_WITHIN, Connection
from headrace.broker.kafka_group import Question, ask
from headrace.broker.port import Committed, Group
from headrace.broker.settings import KafkaSettings
from headrace.errors import BrokerError
from headrace.model.record import Record, TopicPartition

_MOST = 1000
_GLANCE = 0.1
_PATIENCE = 10.0
"""Seconds without a record after which a read is given up."""

_CONFIG = {
    "group.id": "headrace.reader",  # asked for by the client; nothing is ever committed by it
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 10,  # a read begins when the fetch of the one before has returned
    "fetch.queue.backoff.ms": 10,
    "queued.max.messages.kbytes": 16_384,
    "receive.message.max.bytes": 1 << 30,
}

_MOVING = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError._WAIT_COORD,  # noqa: SLF001 - a public name that begins so
    }
)


class KafkaReader:
    """A `Reader`. Several reads may be under way at once: each has a consumer of its own, which is then used again."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._inquiry = Inquiry(settings)
        self._connection = Connection(settings)
        self._idle: list[Consumer] = []

    def topics(self) -> Mapping[str, int]:
        return {name: len(topic.partitions) for name, topic in self._inquiry.topics().items()}

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        places = [Place(topic, partition) for partition in self._inquiry.topic(topic).partitions]
        first = self._offsets(places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        end = self._offsets(places, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return {place.partition: (first[place], end[place]) for place in places}

    def offsets_at(self, topic: str, at: float) -> Mapping[int, int]:
        places = [Place(topic, partition) for partition in self._inquiry.topic(topic).partitions]
        # The ends first: a record that is written meanwhile is after *at*, and must not be passed over.
        end = self._offsets(places, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        found = self._offsets(places, OffsetSpec.for_timestamp(max(0, ceil(at * 1000))))
        return {place.partition: found[place] if found[place] >= 0 else end[place] for place in places}

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        if not partitions:
            return {}
        # An admin client that asks a broker which is not, or not yet, the group's coordinator crashes the process
        # (librdkafka #5040). A consumer of the group that subscribes to nothing joins nothing, and survives.
        client = self._connection.open(Consumer, {**_CONFIG, "group.id": group})
        try:
            found = self._places(client, [Place(*where) for where in partitions])
        except KafkaException as error:
            raise self._connection.fault(error) from None
        finally:
            client.close()
        return {
            TopicPartition(place.topic, place.partition): Committed(place.offset, place.metadata or "")
            for place in found
            if place.offset >= 0
        }

    def group(self, name: str) -> Group:
        return ask(Question(name, self._connection.reaching))

    def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]:
        if start >= stop:
            return
        client = self._idle.pop() if self._idle else self._connection.open(Consumer, _CONFIG)
        try:
            client.assign([Place(*partition, start)])
            yield from self._records(client, partition, start, stop)
        except KafkaException as error:
            raise self._connection.fault(error) from None
        finally:
            client.unassign()
            self._idle.append(client)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _places(self, client: Consumer, asked: list[Place]) -> list[Place]:
        """Ask for committed offsets until the coordinator, which may have to read its books first, knows all."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return _committed(client, asked)
            except KafkaException as error:
                if not _passes(error) or time.monotonic() > deadline:
                    raise
            time.sleep(_GLANCE)

    def _offsets(self, places: Sequence[Place], which: OffsetSpec) -> Mapping[Place, int]:
        asked = self._inquiry.client.list_offsets(dict.fromkeys(places, which), request_timeout=ANSWER_WITHIN)
        return {place: found.offset for place, found in self._inquiry.answers(asked).items()}

    def _records(self, client: Consumer, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]:
        following = start
        deadline = time.monotonic() + _PATIENCE
        while following < stop:
            for record in client.consume(min(_MOST, stop - following), _GLANCE):
                offset = record.offset() or 0
                error = record.error()
                if error is not None:
                    following = max(following, self._end(error, offset))
                elif offset >= stop:
                    return
                else:
                    following = offset + 1
                    deadline = time.monotonic() + _PATIENCE
                    yield record  # type: ignore[misc]  # the stubs allow None where a polled record has none
            if time.monotonic() > deadline:
                raise BrokerError(f"{partition} gave no record from offset {following} on in {_PATIENCE:.0f} s")

    def _end(self, error: KafkaError, offset: int) -> int:
        """Return how far an event that is no record has got us; raise when it is a lasting fault."""
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - a public name that begins so
            return offset
        if not error.retriable():
            raise KafkaException(error)
        return 0


def _committed(client: Consumer, asked: list[Place]) -> list[Place]:
    found = client.committed(asked, timeout=ANSWER_WITHIN)
    for place in found:
        if place.error is not None:
            raise KafkaException(place.error)
    return found


def _passes(error: KafkaException) -> bool:
    """Tell whether the coordinator is only moving or loading, which is soon over."""
    cause = error.args[0] if error.args else None
    return isinstance(cause, KafkaError) and cause.code() in _MOVING
