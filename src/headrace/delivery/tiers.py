"""Waiting for a tier's head to be due: since every tier has one constant delay, the head is always the next one due."""

import heapq
from collections.abc import Sequence

from headrace.broker.port import Consumer
from headrace.model.mark import Mark
from headrace.model.record import Record, TopicPartition
from headrace.wire.headers import decode

Marked = tuple[Record, Mark | None]


def read_mark(record: Record) -> Mark | None:
    """Read a tier record's mark; None when somebody else wrote it there without one."""
    try:
        return decode(record.headers())
    except ValueError:
        return None


class TierClock:
    """Pauses a tier's partition at the first record that is not due, and resumes it when it is."""

    def __init__(self) -> None:
        self._sleeping: dict[TopicPartition, float] = {}
        self._heap: list[tuple[float, TopicPartition]] = []

    def due_part(
        self, consumer: Consumer, partition: TopicPartition, records: Sequence[Record], now: float
    ) -> list[Marked]:
        """Return the leading records that are due at *now*; from the first that is not, the partition sleeps."""
        due: list[Marked] = []
        for record in records:
            mark = read_mark(record)
            if mark is not None and mark.due_at > now:
                consumer.pause([partition])
                consumer.seek(partition, record.offset())
                self._sleeping[partition] = mark.due_at
                heapq.heappush(self._heap, (mark.due_at, partition))
                break
            due.append((record, mark))
        return due

    def wake(self, consumer: Consumer, now: float) -> None:
        """Resume what has become due."""
        while self._heap and self._heap[0][0] <= now:
            due_at, partition = heapq.heappop(self._heap)
            if self._sleeping.get(partition) == due_at:
                del self._sleeping[partition]
                consumer.resume([partition])

    def is_asleep(self, partition: TopicPartition) -> bool:
        return partition in self._sleeping

    def forget(self, partitions: Sequence[TopicPartition]) -> None:
        """Drop partitions that went away."""
        for partition in partitions:
            self._sleeping.pop(partition, None)
