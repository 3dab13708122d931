"""What the contract of brokers works with: topics of its own, records in them, members of groups that take notes."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence

from headrace.broker.port import Broker, Committed, Consumer
from headrace.errors import BrokerError
from headrace.model.record import Record, TopicPartition
from headrace.model.topic import TopicState

PATIENCE = 30.0
"""Seconds after which what should happen is taken not to."""

_POLL = 0.05


def name(text: str) -> str:
    """Return a name for a topic or a group that nobody else has."""
    return f"{text}-{uuid.uuid4().hex[:12]}"


def new_topic(broker: Broker, partitions: int = 1, **config: str) -> str:
    """Make a topic, and return its name. Underscores in keys of *config* stand for dots."""
    topic = name("contract")
    explicit = {key.replace("_", "."): value for key, value in config.items()}
    broker.admin().create(TopicState(name=topic, partitions=partitions, replication=1, config=explicit))
    return topic


def write(broker: Broker, topic: str, values: Iterable[bytes], partition: int = 0) -> None:
    """Write *values* to a partition, and return when the broker has them."""
    producer = broker.producer(memory=8 << 20)
    for value in values:
        producer.produce(topic, key=None, value=value, partition=partition)
    assert producer.flush(PATIENCE) == 0
    producer.close(0)


def numbers(start: int, stop: int) -> list[bytes]:
    """Return numbers as values."""
    return [str(number).encode() for number in range(start, stop)]


def values(records: Iterable[Record]) -> list[bytes | None]:
    """Return the values of *records*."""
    return [record.value() for record in records]


def read_all(broker: Broker, topic: str, partition: int = 0) -> list[Record]:
    """Return all that a partition holds."""
    reader = broker.reader()
    start, stop = reader.bounds(topic)[partition]
    records = list(reader.read(TopicPartition(topic, partition), start, stop))
    reader.close()
    return records


def raised(act: Callable[[], object]) -> type[BrokerError] | None:
    """Return the type of the error with which *act* fails."""
    try:
        act()
    except BrokerError as error:
        return type(error)
    return None


class Member:
    """A member of a group, which notes what it is told and what it polls. It is its consumer's listener.

    What a test wants done in a callback it puts into `arriving` and `leaving`.
    """

    def __init__(self, broker: Broker, group: str, *topics: str) -> None:
        self.assigned: dict[TopicPartition, Committed | None] = {}
        self.told: list[tuple[str, list[TopicPartition]]] = []
        self.records: list[Record] = []
        self.arriving: Callable[[], None] = lambda: None
        self.leaving: Callable[[], None] = lambda: None
        self.consumer: Consumer = broker.consumer(group, self)
        self.consumer.subscribe(topics)

    def on_assign(self, assigned: Mapping[TopicPartition, Committed | None]) -> None:
        self.told.append(("assign", sorted(assigned)))
        self.assigned |= assigned
        self.arriving()

    def on_revoke(self, revoked: Sequence[TopicPartition]) -> None:
        self.told.append(("revoke", sorted(revoked)))
        self.leaving()
        self._forget(revoked)

    def on_lost(self, lost: Sequence[TopicPartition]) -> None:
        self.told.append(("lost", sorted(lost)))
        self._forget(lost)

    @property
    def owned(self) -> list[TopicPartition]:
        return sorted(self.assigned)

    def values(self) -> list[bytes | None]:
        return values(self.records)

    def poll(self, timeout: float = _POLL) -> None:
        """Poll once."""
        self.records += self.consumer.poll(1000, timeout)

    def poll_for(self, seconds: float) -> None:
        """Poll as long as that."""
        end = time.monotonic() + seconds
        until(lambda: time.monotonic() >= end, self)

    def poll_until(self, count: int) -> None:
        """Poll until so many records have come."""
        until(lambda: len(self.records) >= count, self)

    def _forget(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            del self.assigned[partition]


def until(is_so: Callable[[], bool], *members: Member) -> None:
    """Let *members* poll in turn until something is so; fail when it does not come to be."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, [(each.owned, each.told, each.values()) for each in members]
        for member in members:
            member.poll()
