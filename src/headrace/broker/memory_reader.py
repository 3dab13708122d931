"""Reads and changes the memory broker's topics."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

import msgspec

from headrace.broker.memory_cluster import Cluster, Log, Topic
from headrace.broker.port import Committed, Group, Member, TopicState
from headrace.errors import BrokerError
from headrace.model.record import Record, TopicPartition


class MemoryReader:
    """A `Reader`. What is not there yet will not come in time, so that is said at once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def topics(self) -> Mapping[str, int]:
        with self._cluster.changed:
            self._cluster.check_up()
            return {name: len(topic.logs) for name, topic in self._cluster.topics.items()}

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        with self._cluster.changed:
            self._cluster.check_up()
            return {number: (log.start, log.end) for number, log in enumerate(self._cluster.topic(topic).logs)}

    def offsets_at(self, topic: str, at: float) -> Mapping[int, int]:
        with self._cluster.changed:
            self._cluster.check_up()
            logs = self._cluster.topic(topic).logs
            return {number: log.offset_at(ceil(at * 1000)) for number, log in enumerate(logs)}

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]:
        with self._cluster.changed:
            self._cluster.check_up()
            places = self._cluster.group(group).places
            return {where: places[where] for where in partitions if where in places}

    def group(self, name: str) -> Group:
        with self._cluster.changed:
            self._cluster.check_up()
            found = self._cluster.group(name)
            members = [
                Member(id=str(number), client="headrace", host="memory", holds=found.held_by(each))
                for number, each in enumerate(found.subscribed)
            ]
            if members:
                return Group(state="stable", members=members)
            return Group(state="empty" if found.places else "dead")

    def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]:
        with self._cluster.changed:
            self._cluster.check_up()
            log = self._cluster.log(partition)
            records, end = log.between(start, stop), log.end
        yield from records
        if end < stop and start < stop:
            raise BrokerError(f"{partition} gave no record from offset {max(start, end)} on")

    def close(self) -> None:
        """Nothing is held."""


class MemoryAdmin:
    """An `Admin`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def describe(self) -> Mapping[str, TopicState]:
        with self._cluster.changed:
            self._cluster.check_up()
            return {name: topic.state for name, topic in self._cluster.topics.items()}

    def create(self, topic: TopicState) -> None:
        with self._cluster.changed:
            self._cluster.check_up()
            if topic.name in self._cluster.topics:
                raise BrokerError(f"Kafka refused: the topic {topic.name} exists already")
            self._cluster.topics[topic.name] = Topic(topic)

    def add_partitions(self, topic: str, partitions: int) -> None:
        with self._cluster.changed:
            self._cluster.check_up()
            found = self._cluster.topic(topic)
            if partitions <= len(found.logs):
                raise BrokerError(f"Kafka refused: the topic {topic} has {len(found.logs)} partitions already")
            found.logs += [Log() for _ in range(partitions - len(found.logs))]
            found.state = msgspec.structs.replace(found.state, partitions=partitions)

    def configure(self, topic: str, config: Mapping[str, str]) -> None:
        with self._cluster.changed:
            self._cluster.check_up()
            found = self._cluster.topic(topic)
            found.state = msgspec.structs.replace(found.state, config={**found.state.config, **config})
