"""One member of a consumer group of the memory broker."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from headrace.broker.memory_cluster import Cluster, Log
from headrace.broker.port import Committed, RebalanceListener
from headrace.errors import BrokerError
from headrace.model.record import Record, TopicPartition


class MemoryConsumer:
    """A `Consumer`. As with KIP-848, a partition comes only once its last owner has let go of it, in a poll of its own.

    Other than Kafka's, a poll returns as soon as there is something to return.
    """

    def __init__(self, cluster: Cluster, group: str, listener: RebalanceListener) -> None:
        self._cluster = cluster
        self._group = cluster.group(group)
        self._listener = listener
        self._topics: Sequence[str] = ()
        self._following: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._is_closed = False

    def subscribe(self, topics: Sequence[str]) -> None:
        self._topics = tuple(topics)
        with self._cluster.changed:
            self._group.subscribed[self] = self._topics

    def poll(self, most: int, timeout: float) -> Sequence[Record]:
        if not self._cluster.is_down:
            self._rebalance()
        with self._cluster.changed:
            self._cluster.changed.wait_for(self._has_some, timeout)
            return list(islice(self._take(most), most)) if self._has_some() else []

    def commit(self, places: Mapping[TopicPartition, Committed], *, wait: bool = False) -> None:
        with self._cluster.changed:
            if wait:
                self._cluster.check_up()
            mine = {where: place for where, place in places.items() if where in self._following}
            if not self._cluster.is_down and self._owns(mine):
                self._group.places |= mine
            elif wait and mine:
                raise BrokerError("the group has given these partitions to another member")

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self._paused |= self._following.keys() & set(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self._paused -= set(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition in self._following:
            self._following[partition] = offset

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self in self._group.subscribed and self._following:
            self._listener.on_revoke(sorted(self._following))
        self._forget(list(self._following))
        with self._cluster.changed:
            self._group.leave(self)

    def _owns(self, places: Iterable[TopicPartition]) -> bool:
        return all(self._group.owners.get(where) is self for where in places)

    def _rebalance(self) -> None:
        """Let go of what is not to be ours any more, and take what is free. The listener is called without the lock."""
        if self not in self._group.subscribed:
            self._join_again()
        with self._cluster.changed:
            share = self._group.share_of(self, self._cluster.topics)
        if going := sorted(self._following.keys() - share):
            self._listener.on_revoke(going)
            self._forget(going)
            with self._cluster.changed:
                self._group.release(self, going)
        with self._cluster.changed:
            places = self._group.take(self, share)
        if places:
            self._following |= {where: place.offset if place else 0 for where, place in places.items()}
            self._listener.on_assign(places)

    def _join_again(self) -> None:
        """Hear that the group went on without us."""
        lost = sorted(self._following)
        self._forget(lost)
        if lost:
            self._listener.on_lost(lost)
        with self._cluster.changed:
            self._group.subscribed[self] = self._topics

    def _forget(self, partitions: Iterable[TopicPartition]) -> None:
        for where in partitions:
            del self._following[where]
            self._paused.discard(where)

    def _has_some(self) -> bool:
        return not self._cluster.is_down and any(self._following[where] < log.end for where, log in self._open())

    def _open(self) -> Iterable[tuple[TopicPartition, Log]]:
        return [(where, self._cluster.log(where)) for where in self._following if where not in self._paused]

    def _take(self, most: int) -> Iterable[Record]:
        """Yield up to *most* records, and move on past what was yielded."""
        for where, log in self._open():
            start = max(self._following[where], log.start)
            for record in log.between(start, start + most):
                self._following[where] = record.offset() + 1
                yield record
