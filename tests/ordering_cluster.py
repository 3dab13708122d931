"""One partition number of some topics, with a consumer and a reader that a test looks into."""

from collections.abc import Iterable, Mapping, Sequence

from headrace.broker.memory_cluster import MemoryRecord
from headrace.broker.port import Committed
from headrace.errors import BrokerUnavailable
from headrace.model.record import Record, TopicPartition


class Cluster:
    """A consumer and a reader of logs that begin anywhere."""

    def __init__(self) -> None:
        self.logs: dict[TopicPartition, list[MemoryRecord]] = {}
        self.starts: dict[TopicPartition, int] = {}
        self.at: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()
        self.commits: list[Mapping[TopicPartition, Committed]] = []
        self.is_down = False
        self.loses: set[TopicPartition] = set()
        """Of these the next poll loses the first record."""

    def write(self, where: TopicPartition, *records: MemoryRecord) -> None:
        self.logs.setdefault(where, []).extend(records)

    def end(self, where: TopicPartition) -> int:
        return self.starts.get(where, 0) + len(self.logs.get(where, []))

    def poll(self, most: int, timeout: float) -> Sequence[Record]:
        polled: list[Record] = []
        for where in sorted(self.at.keys() - self.paused):
            start = self.starts.get(where, 0)
            self.at[where] = max(self.at[where], start) + (where in self.loses)
            self.loses.discard(where)
            records = self.logs.get(where, [])[self.at[where] - start :][:most]
            self.at[where] += len(records)
            polled += records
        return polled

    def commit(self, places: Mapping[TopicPartition, Committed], *, wait: bool = False) -> None:
        if self.is_down:
            raise BrokerUnavailable("no coordinator")
        self.commits.append(places)

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self.paused |= set(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self.paused -= set(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.at[partition] = offset

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        if self.is_down:
            raise BrokerUnavailable("no brokers")
        where = TopicPartition(topic, 0)
        return {0: (self.starts.get(where, 0), self.end(where))}

    def subscribe(self, topics: Sequence[str]) -> None: ...
    def close(self) -> None: ...
    def topics(self) -> Mapping[str, int]:
        return {}

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        return {}

    def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]:
        return ()
