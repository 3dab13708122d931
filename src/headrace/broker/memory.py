"""A broker in memory, held to the same contract as the real one, for unit and pipeline tests."""

from headrace.broker.memory_cluster import Cluster
from headrace.broker.memory_consumer import MemoryConsumer
from headrace.broker.memory_producer import MemoryProducer
from headrace.broker.memory_reader import MemoryAdmin, MemoryReader
from headrace.broker.port import Failed, RebalanceListener
from headrace.clock import Clock, SystemClock
from headrace.model.record import TopicPartition


class MemoryBroker:
    """A `Broker`: a cluster that begins empty. Its clients may be used from several threads, as the port says.

    *clock* stamps records and measures patience; polls wait in real time.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._cluster = Cluster(clock or SystemClock())

    def consumer(self, group: str, listener: RebalanceListener) -> MemoryConsumer:
        return MemoryConsumer(self._cluster, group, listener)

    def producer(
        self,
        *,
        memory: int,
        linger: float = 0.005,  # noqa: ARG002 - nothing is gained by waiting
        compression: str = "lz4",  # noqa: ARG002 - nothing travels
        patience: float | None = None,
        on_failed: Failed | None = None,
        max_message_bytes: int | None = None,
    ) -> MemoryProducer:
        return MemoryProducer(self._cluster, memory, patience, on_failed, max_message_bytes)

    def reader(self) -> MemoryReader:
        return MemoryReader(self._cluster)

    def admin(self) -> MemoryAdmin:
        return MemoryAdmin(self._cluster)

    def stop(self) -> None:
        """Be gone, as a cluster that nobody can reach; what was written stays."""
        with self._cluster.changed:
            self._cluster.is_down = True

    def start(self) -> None:
        """Be there again."""
        with self._cluster.changed:
            self._cluster.is_down = False
            self._cluster.changed.notify_all()

    def refuse(self, topic: str) -> None:
        """Fail every write to *topic* from now on."""
        self._cluster.refusing.add(topic)

    def accept(self, topic: str) -> None:
        """Take writes to *topic* again."""
        self._cluster.refusing.discard(topic)

    def delete_records(self, partition: TopicPartition, before: int) -> None:
        """Delete the records before an offset, as retention does."""
        with self._cluster.changed:
            self._cluster.log(partition).delete_before(before)

    def evict(self, group: str) -> None:
        """Expire every member of *group*: each hears of it from its next poll, and joins again."""
        with self._cluster.changed:
            for member in list(self._cluster.group(group).subscribed):
                self._cluster.group(group).leave(member)
