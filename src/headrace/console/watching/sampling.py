"""The few records that one look at the river reads: what waits first, what was attempted last, what came in last."""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter

import msgspec

from headrace.broker.port import Reader
from headrace.console.watching.recent import Recent
from headrace.console.watching.river import Waiting, read_waiting
from headrace.core.positions import Position, Positions, places
from headrace.model.record import Record, TopicPartition
from headrace.wire import attempts
from headrace.wire.times import from_text
from headrace.wire.topics import TopicNames

HEADS = 2_000
"""Records that one look reads of the tiers."""

MOST_PARTS = 64
"""Partitions of one topic whose head one look reads: those with the greatest lag."""

BEHIND = 2_000
"""Attempts of one partition that one look reads; of more the latest."""

ARRIVALS = 20
"""Events of one partition that one look reads, of those that came in since the last one."""

BUSIEST = 8
"""Partitions of the events topic whose newest events one look reads."""


class Sampling:
    """Reads with a reader that is handed to it, and remembers how far it came; one thread calls it."""

    def __init__(self, names: TopicNames, recent: Recent) -> None:
        self._names = names
        self._recent = recent
        self._reached: dict[TopicPartition, int] = {}

    def heads(self, reader: Reader, positions: Positions) -> tuple[list[Waiting], Mapping[TopicPartition, float]]:
        """Read the first unsettled record of the main topic's partitions, and the first ones of the tiers'."""
        oldest: dict[TopicPartition, float] = {}
        waiting: list[Waiting] = []
        heads = _heads(positions)
        tails = [place for place in heads if self._names.delay_of(place.topic) is not None]
        most = max(1, HEADS // max(1, len(tails)))
        for place, (start, end) in heads.items():
            tier = self._names.tier_of(place.topic)
            stop = min(end, start + (1 if tier is None else most))
            for record in reader.read(place, start, stop):
                oldest.setdefault(place, record.timestamp()[1] / 1000)
                if tier is not None:
                    waiting.append(read_waiting(record, tier))
        return sorted(waiting, key=lambda each: each.due_at), oldest

    def attempts(self, reader: Reader, positions: Positions) -> None:
        """Tell *recent* the attempts that are new."""
        for place, position in _of(self._names.attempts, positions):
            for record in self._new(reader, place, position, BEHIND):
                try:
                    document = attempts.decode(record.value() or b"")
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue  # the audit names it
                if isinstance(document, attempts.Attempt):
                    self._recent.add(document)

    def arrivals(self, reader: Reader, positions: Positions) -> Sequence[float]:
        """Return how many seconds some of the newest events took from their emit to Kafka; at first none."""
        grown = []
        for place, position in _of(self._names.events, positions):
            grown.append((position.end - self._reached.setdefault(place, position.end), place, position))
        busiest = sorted(grown, key=itemgetter(0), reverse=True)[:BUSIEST]
        new = [self._new(reader, place, position, ARRIVALS) for _, place, position in busiest]
        found = [delay(record) for records in new for record in records]
        self._reached |= {place: position.end for _, place, position in grown}
        return [each for each in found if each is not None]

    def _new(self, reader: Reader, place: TopicPartition, position: Position, most: int) -> Iterator[Record]:
        start = max(self._reached.get(place, 0), position.start, position.end - most)
        yield from reader.read(place, start, position.end)
        self._reached[place] = position.end


class _Timed(msgspec.Struct):
    """What is read of an event."""

    time: str


def delay(record: Record) -> float | None:
    """Return the seconds from an event's `time` to its arrival, by the brokers' clock; None where it has no time."""
    try:
        emitted = from_text(msgspec.json.decode(record.value() or b"", type=_Timed).time)
    except (msgspec.DecodeError, ValueError):
        return None
    return max(0.0, record.timestamp()[1] / 1000 - emitted)


def _of(topic: str, positions: Positions) -> Iterator[tuple[TopicPartition, Position]]:
    for number, position in positions[topic].items():
        yield TopicPartition(topic, number), position


def _heads(positions: Positions) -> Mapping[TopicPartition, tuple[int, int]]:
    """Return what is not settled of the partitions with the greatest lag."""
    behind: dict[str, list[tuple[int, TopicPartition, tuple[int, int]]]] = {}
    for place, position in places(positions):
        if position.committed is not None:
            start = max(position.committed, position.start)
            if start < position.end:
                behind.setdefault(place.topic, []).append((position.end - start, place, (start, position.end)))
    return {
        place: span
        for found in behind.values()
        for _, place, span in sorted(found, key=lambda each: each[0], reverse=True)[:MOST_PARTS]
    }
