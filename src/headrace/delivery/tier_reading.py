"""Reading one tier's partition where order matters: what is due, and ahead of that what draining sessions wait for."""

import heapq
from collections.abc import Callable, Sequence

from headrace.broker.port import Consumer
from headrace.core.offsets import Progress
from headrace.core.runs import Chunk, Run
from headrace.delivery.sequence import Sequencer, make_chunk
from headrace.delivery.tiers import Due, Marked, read_mark
from headrace.model.mark import Mark
from headrace.model.record import Record

LEFT_MOST = 100_000
"""Records of one partition that reading ahead may leave; each costs about a hundred bytes until it is due."""

COMPACT_AT = 1000
"""Offsets of what is not left any more that may lie about."""

QUIET_AFTER = 0.3
"""Seconds without a record after which reading ahead has come to the end."""

NAP = 0.1
"""Seconds until a record is looked at again that is due, but has to wait for the main topic."""

IsReady = Callable[[Record, Mark | None, bool], bool]
"""Says whether a record may be handed over now; the flag says whether the tier is being read ahead."""


class TierReading:
    """Stops at the first record that is not ready, or reads past it and comes back.

    What was read past is *left*: its chunk is made and waits for it, and only its offset is kept.
    """

    def __init__(self, progress: Progress, delay: float, sequence: Sequencer) -> None:
        self.progress = progress
        self._delay = delay
        self._sequence = sequence
        self._left: dict[int, tuple[Chunk, float]] = {}
        self._offsets: list[int] = []
        self._at = progress.next
        self.wakes_at: float | None = None
        """When the partition, which is paused until then, is to be read on."""
        self.is_ahead = False
        self.is_behind = False
        """Whether something was left behind its place while it was not read ahead."""
        self._ahead_since = 0.0
        self._quiet = self._looked_at = 0.0
        self._is_through = False
        self.has_lost = False
        """Whether retention took what was left here."""

    def read(self, polled: Sequence[Record], consumer: Consumer, is_ready: IsReady, now: float) -> Sequence[Due]:
        """Return what is ready of *polled*; at the first that is not, the partition sleeps, unless it is read ahead."""
        self._quiet = 0.0
        first = polled[0].offset()
        if self._at is not None and first > self._at and self._first_left(self._at) < first:
            self.has_lost = True
        self._at = polled[-1].offset() + 1
        following = self.progress.next
        seen = [record for record in polled if following is not None and record.offset() < following]
        due = self._read_again(seen, consumer, is_ready, now)
        if self.wakes_at is None and len(seen) < len(polled):
            due += self._read_new(polled[len(seen) :], consumer, is_ready, now)
        return due

    def read_ahead(self, consumer: Consumer, now: float) -> None:
        """Begin to read past what is not ready, from the first record that is."""
        self.is_ahead = True
        self.is_behind = self._is_through = False
        self._quiet = 0.0
        self._ahead_since = self._looked_at = now
        self._seek(consumer, self._start())
        self.wake(consumer)

    def is_through(self, now: float) -> bool:
        """Tell whether reading ahead should end: all is read that was there when it began, or something left is due."""
        # A long time between two looks says more of this worker than of the log.
        self._quiet += min(now - self._looked_at, QUIET_AFTER / 3)
        self._looked_at = now
        return self._is_through or self._quiet >= QUIET_AFTER or self.is_overdue(now)

    def is_overdue(self, now: float) -> bool:
        """Tell whether the first that was left is due: reading ahead would only delay it."""
        start = self._start()
        return start in self._left and self._left[start][1] <= now

    def rest(self, consumer: Consumer) -> None:
        """End reading ahead: go back to the first that was left, and sleep until that is due."""
        self.is_ahead = self.is_behind = False
        start = self._start()
        if start in self._left:
            self._sleep(consumer, start, self._left[start][1])
        else:
            self.wake(consumer)

    def wake(self, consumer: Consumer) -> None:
        self.wakes_at = None
        consumer.resume([self.progress.assignment.partition])

    def put_back(self, run: Run) -> None:
        """Leave what was handed over too early; `rest` or `read_ahead` comes back to it."""
        assert run.marks is not None, "only a tier's events are put back"
        self.is_behind = not self.is_ahead
        for at in range(run.start, run.stop):
            self._leave(run.records[at].offset(), run.chunk, run.marks[at].due_at)

    def _read_again(self, seen: Sequence[Record], consumer: Consumer, is_ready: IsReady, now: float) -> list[Due]:
        found: dict[int, tuple[Chunk, list[Marked]]] = {}
        for record in seen:
            left = self._left.get(record.offset())
            if left is None:
                continue
            chunk, due_at = left
            mark = read_mark(record)
            if is_ready(record, mark, self.is_ahead):
                del self._left[record.offset()]
                chunk.left -= 1
                found.setdefault(id(chunk), (chunk, []))[1].append((record, mark))
            elif not self.is_ahead:
                self._sleep(consumer, record.offset(), max(due_at, now + NAP))
                break
        return list(found.values())

    def _read_new(self, polled: Sequence[Record], consumer: Consumer, is_ready: IsReady, now: float) -> list[Due]:
        ready: list[Marked] = []
        left: list[tuple[int, float]] = []
        taken: list[Record] = []
        for record in self._sequence.following(self.progress, polled, consumer):
            mark = read_mark(record)
            if mark is not None and mark.due_at - self._delay > self._ahead_since:
                self._is_through = True
            if is_ready(record, mark, self.is_ahead):
                ready.append((record, mark))
            elif self.is_ahead and len(self._left) + len(left) < LEFT_MOST:
                left.append((record.offset(), mark.due_at if mark else now))
            elif self.is_ahead:
                self._is_through = True
                consumer.pause([self.progress.assignment.partition])
                break
            else:
                self._sleep(consumer, record.offset(), max(mark.due_at if mark else now, now + NAP))
                break
            taken.append(record)
        if not taken:
            return []
        chunk = make_chunk(self.progress, taken)
        chunk.open = len(taken)
        for offset, due_at in left:
            self._leave(offset, chunk, due_at)
        return [(chunk, ready)] if ready else []

    def _leave(self, offset: int, chunk: Chunk, due_at: float) -> None:
        chunk.left += 1
        self._left[offset] = (chunk, due_at)
        heapq.heappush(self._offsets, offset)
        if len(self._offsets) > 2 * len(self._left) + COMPACT_AT:
            self._offsets = sorted(self._left)

    def _start(self) -> int:
        """Return the first offset that is left, or else the next one to read for the first time."""
        while self._offsets and self._offsets[0] not in self._left:
            heapq.heappop(self._offsets)
        following = self.progress.next or 0
        return min(self._offsets[0], following) if self._offsets else following

    def _first_left(self, start: int) -> float:
        first = self._start()
        return first if first in self._left and first >= start else float("inf")

    def _sleep(self, consumer: Consumer, offset: int, until: float) -> None:
        self.is_ahead = False
        self.wakes_at = until
        consumer.pause([self.progress.assignment.partition])
        self._seek(consumer, offset)

    def _seek(self, consumer: Consumer, offset: int) -> None:
        self._at = offset
        consumer.seek(self.progress.assignment.partition, offset)
