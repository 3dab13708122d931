"""Reading tiers where order does not matter: what was polled before its time waits in memory, where there is room."""

import heapq
from collections import deque
from collections.abc import Iterable, Sequence

from headrace.broker.port import Consumer
from headrace.core.offsets import Progress
from headrace.core.runs import EVENT_OVERHEAD, Chunk, Run
from headrace.delivery.sequence import Sequencer, make_chunk
from headrace.delivery.tiers import Due, Marked, read_mark
from headrace.model.mark import Mark
from headrace.model.record import Record, TopicPartition

SHARE = 8
"""The part of a worker's memory, one in so many, in which tiers' records wait for their time."""

Waiting = tuple[Chunk, Record, Mark]


class _Queue:
    """What waits of one partition, in the order of its offsets, which is that of its due times."""

    __slots__ = ("is_paused", "waiting", "weight")

    def __init__(self) -> None:
        self.waiting: deque[Waiting] = deque()
        self.weight = 0
        self.is_paused = False

    def put(self, chunk: Chunk, record: Record, mark: Mark) -> None:
        chunk.left += 1
        self.waiting.append((chunk, record, mark))
        self.weight += _weight(record)

    def due(self, now: float) -> list[Due]:
        """Take out what is due."""
        found: list[tuple[Chunk, list[Marked]]] = []
        while self.waiting and self.waiting[0][2].due_at <= now:
            chunk, record, mark = self.waiting.popleft()
            chunk.left -= 1
            self.weight -= _weight(record)
            if not found or found[-1][0] is not chunk:
                found.append((chunk, []))
            found[-1][1].append((record, mark))
        return list(found)


class TierClock:
    """The `Tiers` of a worker without order.

    To pause a partition throws away what the client has read ahead of it, and to seek back even more: both are read
    again. So a partition is paused only when its share of the memory is full, and never set back.
    """

    def __init__(self, sequence: Sequencer, memory: int) -> None:
        self._sequence = sequence
        self._memory = memory // SHARE
        self._queues: dict[TopicPartition, _Queue] = {}
        self._heap: list[tuple[float, TopicPartition]] = []

    @property
    def weight(self) -> int:
        return sum(queue.weight for queue in self._queues.values())

    def subscribed(self, topics: Sequence[str]) -> None:
        """Every partition is for itself."""

    def confirm(self, consumer: Consumer) -> None:
        """What is posted twice after a freeze is a repeat."""

    def broken(self) -> Sequence[TopicPartition]:
        return ()

    def assigned(self, progresses: Iterable[Progress], consumer: Consumer) -> None:  # noqa: ARG002  # all is read at once
        for progress in progresses:
            self._queues[progress.assignment.partition] = _Queue()

    def going(self, partitions: Sequence[TopicPartition]) -> set[TopicPartition]:
        return set(partitions)

    def gone(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self._queues.pop(partition, None)

    def is_asleep(self, partition: TopicPartition) -> bool:
        queue = self._queues.get(partition)
        return queue is not None and queue.is_paused

    def takes(self, partition: TopicPartition) -> bool:  # noqa: ARG002  # a partition is taken in as soon as it is here
        return True

    def read(self, progress: Progress, polled: Sequence[Record], consumer: Consumer, now: float) -> Sequence[Due]:
        polled = self._sequence.following(progress, polled, consumer)
        if not polled:
            return ()
        partition = progress.assignment.partition
        queue = self._queues[partition]
        chunk = make_chunk(progress, polled)
        chunk.open = len(polled)
        due: list[Marked] = []
        for record in polled:
            mark = read_mark(record)
            if mark is None or (not queue.waiting and mark.due_at <= now):
                due.append((record, mark))
            else:
                self._wait(queue, partition, chunk, record, mark)
        if queue.weight >= self._memory // len(self._queues) and not queue.is_paused:
            queue.is_paused = True
            consumer.pause([partition])
        return [(chunk, due)] if due else ()

    def work(self, consumer: Consumer, now: float) -> Sequence[Due]:
        found: list[Due] = []
        while self._heap and self._heap[0][0] <= now:
            _, partition = heapq.heappop(self._heap)
            queue = self._queues.get(partition)
            if queue is None:
                continue
            found += queue.due(now)
            if queue.waiting:
                heapq.heappush(self._heap, (queue.waiting[0][2].due_at, partition))
            if queue.is_paused and queue.weight <= self._memory // len(self._queues) // 2:
                queue.is_paused = False
                consumer.resume([partition])
        return found

    def put_back(self, run: Run) -> None:  # noqa: ARG002  # never called
        raise AssertionError("nothing is read ahead where order does not matter")

    def _wait(self, queue: _Queue, partition: TopicPartition, chunk: Chunk, record: Record, mark: Mark) -> None:
        if not queue.waiting:
            heapq.heappush(self._heap, (mark.due_at, partition))
        queue.put(chunk, record, mark)


def _weight(record: Record) -> int:
    return len(record.value() or b"") + EVENT_OVERHEAD
