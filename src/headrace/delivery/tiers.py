"""Reading tiers: when is which of their records due? Since a tier has one constant delay, its head is the next one."""

import heapq
from collections.abc import Iterable, Sequence
from typing import Protocol

from headrace.broker.port import Consumer
from headrace.core.offsets import Progress
from headrace.core.runs import Chunk, Run
from headrace.delivery.sequence import Sequencer, make_chunk
from headrace.model.mark import Mark
from headrace.model.record import Record, TopicPartition
from headrace.wire.headers import decode

Marked = tuple[Record, Mark | None]

Due = tuple[Chunk, Sequence[Marked]]
"""What was found due in one poll, and the chunk that it is part of."""


def read_mark(record: Record) -> Mark | None:
    """Read a tier record's mark; None when somebody else wrote it there without one."""
    try:
        return decode(record.headers())
    except ValueError:
        return None


class Tiers(Protocol):
    """How the owner reads the tiers. Called by the owner thread only, with its consumer."""

    def subscribed(self, topics: Sequence[str]) -> None:
        """The worker asks the group for these topics from now on."""
        ...

    def assigned(self, progresses: Iterable[Progress], consumer: Consumer) -> None:
        """Partitions came, of the main topic and of tiers."""
        ...

    def confirm(self, consumer: Consumer) -> None:
        """Where it matters, make sure after a silence that the partitions are still this worker's."""
        ...

    def going(self, partitions: Sequence[TopicPartition]) -> set[TopicPartition]:
        """Name those of which nothing more may be posted when *partitions* come or go."""
        ...

    def gone(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions went away."""
        ...

    def work(self, consumer: Consumer, now: float) -> None:
        """Resume what has become due at *now*, on the calendar; called before each poll."""
        ...

    def broken(self) -> Sequence[TopicPartition]:
        """Name partitions that have to begin anew where they are booked."""
        ...

    def is_asleep(self, partition: TopicPartition) -> bool:
        """Tell whether a partition is paused until something is due."""
        ...

    def takes(self, partition: TopicPartition) -> bool:
        """Tell whether a partition's records may be taken in now."""
        ...

    def read(self, progress: Progress, polled: Sequence[Record], consumer: Consumer, now: float) -> Sequence[Due]:
        """Return what of a tier's *polled* records is due; the rest comes again. Chunks are added to *progress*."""
        ...

    def put_back(self, run: Run) -> None:
        """Take back events that were read ahead too early."""
        ...


class TierClock:
    """Pauses a tier's partition at the first record that is not due, and resumes it when it is."""

    def __init__(self, sequence: Sequencer) -> None:
        self._sequence = sequence
        self._sleeping: dict[TopicPartition, float] = {}
        self._heap: list[tuple[float, TopicPartition]] = []

    def subscribed(self, topics: Sequence[str]) -> None:
        """Every partition is for itself."""

    def confirm(self, consumer: Consumer) -> None:
        """What is posted twice after a freeze is a repeat."""

    def broken(self) -> Sequence[TopicPartition]:
        return ()

    def assigned(self, progresses: Iterable[Progress], consumer: Consumer) -> None:
        """Nothing is known of new partitions until they are polled."""

    def going(self, partitions: Sequence[TopicPartition]) -> set[TopicPartition]:
        return set(partitions)

    def gone(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self._sleeping.pop(partition, None)

    def work(self, consumer: Consumer, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            due_at, partition = heapq.heappop(self._heap)
            if self._sleeping.get(partition) == due_at:
                del self._sleeping[partition]
                consumer.resume([partition])

    def is_asleep(self, partition: TopicPartition) -> bool:
        return partition in self._sleeping

    def takes(self, partition: TopicPartition) -> bool:  # noqa: ARG002  # a partition is taken in as soon as it is here
        return True

    def read(self, progress: Progress, polled: Sequence[Record], consumer: Consumer, now: float) -> Sequence[Due]:
        due: list[Marked] = []
        for record in self._sequence.following(progress, polled, consumer):
            mark = read_mark(record)
            if mark is not None and mark.due_at > now:
                self._sleep(progress.assignment.partition, record.offset(), mark.due_at, consumer)
                break
            due.append((record, mark))
        if not due:
            return ()
        chunk = make_chunk(progress, [record for record, _ in due])
        chunk.open = len(due)
        return [(chunk, due)]

    def put_back(self, run: Run) -> None:  # noqa: ARG002  # never called
        raise AssertionError("nothing is read ahead where order does not matter")

    def _sleep(self, partition: TopicPartition, offset: int, until: float, consumer: Consumer) -> None:
        consumer.pause([partition])
        consumer.seek(partition, offset)
        self._sleeping[partition] = until
        heapq.heappush(self._heap, (until, partition))
