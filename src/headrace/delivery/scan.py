"""What stands on a cohort's tiers when it comes to a worker: read once, before anything of it is posted."""

from collections.abc import Callable, Mapping, Sequence

from headrace.broker.port import Consumer
from headrace.core.offsets import Progress
from headrace.delivery.order import Tail
from headrace.delivery.tiers import read_mark
from headrace.model.destination import Destination
from headrace.model.record import Record, TopicPartition
from headrace.wire.envelope import Bad, org_of, read
from headrace.wire.topics import TopicNames

PATIENCE = 10.0
"""Seconds without a record after which a scan is begun anew, with the ends that its tiers have then."""

TailOf = Callable[[Record], Tail | None]
"""Says what of a tier's record holds its session; None when nothing does."""


def read_tail(record: Record, names: TopicNames, destinations: Mapping[str, Destination]) -> Tail | None:
    """Return what holds a session; None for what nobody waits for: redriven, unreadable, or without a destination."""
    mark = read_mark(record)
    tier = names.delay_of(record.topic())
    if mark is None or tier is None or mark.redriven or mark.destination not in destinations:
        return None
    if (mark.origin.topic, mark.origin.partition) != (names.events, record.partition()):
        return None
    envelope = read(record.value())
    org = envelope if isinstance(envelope, Bad) else org_of(record.key(), envelope.source)
    if isinstance(org, Bad):
        return None
    return Tail(org, destinations[mark.destination], record.key() or b"", mark.origin, tier, mark.attempts)


class Scan:
    """Reads every tier of one cohort from its committed place to the end that it had, and then goes back."""

    def __init__(
        self,
        tiers: Mapping[str, Progress],
        bounds: Mapping[str, tuple[int, int]],
        tail_of: TailOf,
        consumer: Consumer,
        now: float,
    ) -> None:
        self._tail_of = tail_of
        self._read_at = now
        self._ends: dict[str, int] = {}
        self._next: dict[str, int] = {}
        self._gaps: dict[str, int] = {}
        self._tails: list[Tail] = []
        for topic, progress in tiers.items():
            first, end = bounds[topic]
            start = max(first, progress.next if progress.next is not None else first)
            if start < end:
                self._ends[topic] = end
                self._next[topic] = start
                consumer.seek(progress.assignment.partition, start)
                consumer.resume([progress.assignment.partition])

    def is_stuck(self, now: float) -> bool:
        """Tell whether nothing came for long: retention may have taken what was there when it began."""
        return bool(self._ends) and now - self._read_at >= PATIENCE

    @property
    def is_done(self) -> bool:
        return not self._ends

    def read(self, partition: TopicPartition, polled: Sequence[Record], consumer: Consumer, now: float) -> None:
        self._read_at = now
        topic = partition.topic
        if topic not in self._ends:
            return
        expected, first = self._next[topic], polled[0].offset()
        if first > expected and self._gaps.get(topic) != expected:
            self._gaps[topic] = expected  # a poll may lose records: look once more
            consumer.seek(partition, expected)
            return
        self._tails += filter(None, map(self._tail_of, (each for each in polled if each.offset() >= expected)))
        self._next[topic] = max(expected, polled[-1].offset() + 1)
        if self._next[topic] >= self._ends[topic]:
            del self._ends[topic]
            consumer.pause([partition])

    def tails(self) -> list[Tail]:
        """Return what was found, in the order in which it was emitted."""
        return sorted(self._tails, key=lambda tail: tail.origin.offset)
