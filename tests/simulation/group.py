"""The group coordinator: who is a member, who owns which partition, who may commit (after KIP-848)."""

from collections.abc import Mapping, Sequence
from random import Random

from headrace.broker.memory_cluster import Group, Topic
from headrace.broker.port import Committed
from headrace.model.record import TopicPartition

SESSION = 6.0
"""Seconds without a heartbeat after which a member is expired."""

MOST_BETWEEN_POLLS = 9.0
"""Seconds without a poll after which a member leaves by itself."""


class Coordinator:
    """One group. A member is known by the number it got when it joined; a number that was expired comes never back."""

    def __init__(self, group: Group, topics: Mapping[str, Topic], random: Random) -> None:
        self._group = group
        self._topics = topics
        self._random = random
        self._joined = 0
        self._shares: dict[object, set[TopicPartition]] = {}

    def join(self, topics: Sequence[str]) -> int:
        self._joined += 1
        self._group.subscribed[self._joined] = topics
        self._assign()
        return self._joined

    def is_member(self, member: int) -> bool:
        return member in self._group.subscribed

    def expire(self, member: int) -> None:
        """Forget a member; what it owned is free."""
        if self.is_member(member):
            self._group.leave(member)
            self._assign()

    def going(self, member: int, owned: Mapping[TopicPartition, object]) -> list[TopicPartition]:
        """Name what *member* is to give back."""
        return sorted(owned.keys() - self._shares[member])

    def arriving(self, member: int) -> Mapping[TopicPartition, Committed | None]:
        """Give *member* some of what is free of its share: partitions come one by one."""
        free = [place for place in sorted(self._shares[member]) if place not in self._group.owners]
        if not free:
            return {}
        return self._group.take(member, self._random.sample(free, self._random.randint(1, len(free))))

    def release(self, member: int, partitions: Sequence[TopicPartition]) -> None:
        self._group.release(member, partitions)

    def commit(self, member: int, places: Mapping[TopicPartition, Committed]) -> bool:
        """Take a commit of a member. As in Kafka, who owns the partition is not asked."""
        if not self.is_member(member):
            return False
        self._group.places |= places
        return True

    @property
    def places(self) -> Mapping[TopicPartition, Committed]:
        return self._group.places

    def _assign(self) -> None:
        self._shares = {member: self._group.share_of(member, self._topics) for member in self._group.subscribed}
