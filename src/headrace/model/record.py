"""A record: an event as Kafka holds it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Header = tuple[str, bytes]


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Record(Protocol):
    """What a consumer's poll returns.

    Accessors are methods, as Kafka's own client has them, so that its messages pass through the hot path
    without a copy. `headers()` is the only one that costs more than a call.
    """

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> Sequence[Header] | None: ...
    def timestamp(self) -> tuple[int, int]:
        """Return Kafka's (kind, milliseconds since the epoch)."""
        ...


class Origin(NamedTuple):
    """Where an event first stood: its place on the main topic, kept through every hop."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Origin":
        """Read `topic/partition/offset`; raise `ValueError` when it is not that."""
        topic, partition, offset = text.rsplit("/", 2)
        return cls(topic, int(partition), int(offset))
