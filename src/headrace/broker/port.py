"""What Headrace asks of a broker. `broker.kafka` is the real one, `broker.memory` the one for tests.

Vocabulary is Kafka's. A consumer belongs to one thread, its owner, which alone may call it. A producer may be called
from any thread; its acknowledgements are called from `poll` and `flush`, on the thread that calls those.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from headrace.errors import BrokerError
from headrace.model.record import Header, Record, TopicPartition
from headrace.model.topic import TopicState as TopicState  # noqa: PLC0414 - part of the port's vocabulary

Acknowledge = Callable[[BrokerError | None], None]
"""Called once per record: with None when the brokers have it, else with why they do not. Must not raise."""

Failed = Callable[[str, bytes | None, bytes | None, BrokerError], None]
"""Called with topic, key and value of a record that the brokers do not have, and why. Must not raise.

It serves the emitter, which needs to hear of failures only. It is called from `poll`, `flush` and `close` for every
record that failed and was produced without an `on_ack` of its own.
"""


class Committed(msgspec.Struct, frozen=True):
    """A group's place in a partition: the next offset to poll, and the text committed with it."""

    offset: int
    metadata: str = ""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a group, as the brokers know it: its *id*, which client it is and from where, and what it holds."""

    id: str
    client: str
    host: str
    holds: Sequence[TopicPartition] = []


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer group. `stable`: every partition is held; `empty`: nobody is in it; `dead`: none has that name."""

    state: Literal["stable", "rebalancing", "empty", "dead"]
    members: Sequence[Member] = []


class RebalanceListener(Protocol):
    """Called from within `Consumer.poll`, on the owner thread. Must not raise."""

    def on_assign(self, assigned: Mapping[TopicPartition, Committed | None]) -> None:
        """Partitions arrived, with where the group stands in each (None: nowhere yet, from the earliest)."""
        ...

    def on_revoke(self, revoked: Sequence[TopicPartition]) -> None:
        """Partitions are about to go: commits made here still count."""
        ...

    def on_lost(self, lost: Sequence[TopicPartition]) -> None:
        """Partitions went already: nothing of them may be committed any more."""
        ...


class Consumer(Protocol):
    """One member of a group. Every method is called by its owner thread, and none of them raises for one record."""

    def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for these topics; a later call replaces them."""
        ...

    def poll(self, most: int, timeout: float) -> Sequence[Record]:
        """Return up to *most* records, waiting up to *timeout* seconds for that many. Offsets of a partition rise."""
        ...

    def commit(self, places: Mapping[TopicPartition, Committed], *, wait: bool = False) -> None:
        """Commit; with *wait* only return when the brokers have it. Partitions not owned any more are left out.

        Without *wait* a failure is retried by the next commit; with it `BrokerError` is raised.
        """
        ...

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Return no more of these from `poll` until resumed; records already returned are the caller's."""
        ...

    def resume(self, partitions: Iterable[TopicPartition]) -> None: ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Let the next poll of *partition* begin at *offset*."""
        ...

    def close(self) -> None:
        """Leave the group; `on_revoke` is called first. A second call does nothing."""
        ...


class Producer(Protocol):
    """An idempotent producer with acks from all in-sync replicas and a bounded queue."""

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
        """Queue one record and return at once; raise `QueueFull` when there is no room.

        *partition* None means by murmur2 of the key, as Java's default does. A record that can never be written
        (too large, no such topic or partition) is acknowledged with its error.
        """
        ...

    def poll(self, timeout: float = 0.0) -> int:
        """Call the acknowledgements that have come, waiting up to *timeout* for one; return how many."""
        ...

    def flush(self, timeout: float) -> int:
        """Wait until all is acknowledged, at most *timeout* seconds; return how many are not."""
        ...

    def close(self, timeout: float) -> int:
        """Flush, then give up what is left, whose acknowledgements are called with an error; return how many."""
        ...

    def partitions(self, topic: str, timeout: float) -> int:
        """Ask how many partitions *topic* has; raise `TopicMissing`, or `BrokerUnavailable` after *timeout* seconds."""
        ...

    def __len__(self) -> int:
        """Count the records that are queued or sent, and whose acknowledgement has not been called yet."""
        ...


class Reader(Protocol):
    """Reads topics without a group, for audits, lists and tails."""

    def topics(self) -> Mapping[str, int]:
        """Return every topic's number of partitions."""
        ...

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return per partition the first offset that is kept and the next one to be written."""
        ...

    def offsets_at(self, topic: str, at: float) -> Mapping[int, int]:
        """Return per partition the first offset whose record was written at or after *at*, seconds since the epoch.

        Where there is none it is the next one to be written.
        """
        ...

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        """Return where *group* stands; partitions without a commit are left out."""
        ...

    def group(self, name: str) -> Group:
        """Return who is in the consumer group *name*, and what each one holds."""
        ...

    def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]:
        """Yield the records of `[start, stop)` in order; raise `BrokerError` when they do not come in time."""
        ...

    def close(self) -> None: ...


class Admin(Protocol):
    """Looks at and changes topics. Every method raises `BrokerError`, or `BrokerUnavailable`."""

    def describe(self) -> Mapping[str, TopicState]:
        """Return the cluster's topics by name, internal ones left out."""
        ...

    def create(self, topic: TopicState) -> None:
        """Make a topic; return when it can be used."""
        ...

    def add_partitions(self, topic: str, partitions: int) -> None:
        """Grow *topic* to so many partitions."""
        ...

    def configure(self, topic: str, config: Mapping[str, str]) -> None:
        """Set these keys of *topic*, leaving its others as they are."""
        ...


class Broker(Protocol):
    """Makes clients. One value per process is enough; it holds no connection itself."""

    def consumer(self, group: str, listener: RebalanceListener) -> Consumer: ...
    def producer(
        self,
        *,
        memory: int,
        linger: float = 0.005,
        compression: str = "lz4",
        patience: float | None = None,
        on_failed: Failed | None = None,
        max_message_bytes: int | None = None,
    ) -> Producer:
        """Make a producer that gathers for *linger* seconds and holds at most *memory* bytes.

        The bound is on keys, values and what the client itself needs for a record (librdkafka: about 500 bytes).
        *max_message_bytes* is what the topics that it writes to take: a larger record is refused at once, and a record
        of that size has room in the queue even when *memory* is less; None means half of *memory*.
        *compression* is `none`, `gzip`, `snappy`, `lz4` or `zstd`. *patience* is how many seconds a record is tried
        before it fails; None means for ever, so that no time-out reorders. *on_failed* hears of every record
        that failed and has no `on_ack`.
        """
        ...

    def reader(self) -> Reader: ...
    def admin(self) -> Admin: ...
