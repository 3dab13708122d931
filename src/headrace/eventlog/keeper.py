"""Keeps an event log: brings its counters up to date with the attempts topic, and lets old events go.

Where it is known that a step happened the numbers are written in the same transaction, so each attempt and each tile
counts once, however often a keeper dies, and however many there are.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from headrace.clock import Clock
from headrace.errors import HeadraceError
from headrace.eventlog.counting import Counters, by_place, judge, settled_at
from headrace.eventlog.emitted import River as Events
from headrace.eventlog.emitted import emitted
from headrace.eventlog.graphs import Counted, Graphs
from headrace.eventlog.retention import Retention
from headrace.eventlog.upkeep import Upkeep
from headrace.model.record import Record, TopicPartition
from headrace.wire import attempts
from headrace.wire.attempts import Attempt, RedriveNote, Tile
from headrace.wire.topics import TopicNames

STEP = 5_000
"""Records of one transaction."""

LOOK_EVERY = 1.0
"""Seconds between two looks at the attempts topic."""


class Committed(Protocol):
    """A group's place in a partition."""

    @property
    def offset(self) -> int: ...

    @property
    def metadata(self) -> str: ...


class River(Events, Protocol):
    """What is read of Kafka; the broker's reader does it."""

    def topics(self) -> Mapping[str, int]: ...

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Committed]: ...

    def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]: ...


class Kept(Graphs, Upkeep, Protocol):
    """What is written of the event log."""


class Keeper:
    """Keeps *store*. One thread calls it; *retention* in seconds, 0 for ever, counts in whole days."""

    def __init__(self, store: Kept, river: River, names: TopicNames, clock: Clock, retention: float) -> None:
        self._store = store
        self._river = river
        self._names = names
        self._clock = clock
        self._retention = Retention(store, clock, retention)

    def run(self, stop: threading.Event, failed: Callable[[HeadraceError], None]) -> None:
        """Keep until *stop* is set. *failed* hears of each step that failed; the next one tries again."""
        while not stop.is_set():
            try:
                self.step()
            except HeadraceError as error:
                failed(error)
            stop.wait(LOOK_EVERY)

    def step(self) -> None:
        """Count what is new, then let a portion of what is too old go; one that fails does not keep the other back."""
        try:
            self.count()
        finally:
            self.expire()

    def expire(self) -> None:
        """Let a portion of what is older than the retention go, as `Retention.step` does."""
        self._retention.step()

    def count(self) -> None:
        """Count what is new; tiles only up to what the workers had committed before it was looked for."""
        topics = self._river.topics()
        if self._names.attempts not in topics or self._names.events not in topics:
            return
        grown = emitted(self._store, self._river, self._names.events, self._clock.wall())
        named = [name for name in topics if name == self._names.events or self._names.delay_of(name) is not None]
        places = [TopicPartition(topic, number) for topic in named for number in range(topics[topic])]
        committed = self._river.committed(self._names.group, places)
        reached = self._store.read_to(self._names.attempts)
        for number, (start, stop) in sorted(self._river.bounds(self._names.attempts).items()):
            place = TopicPartition(self._names.attempts, number)
            self._read(place, reached.get(number, 0), start, stop)
        self._judge(committed)
        # Last of all: whoever reads how far it is counted finds everything counted that far.
        self._store.count(grown)

    def _read(self, place: TopicPartition, reached: int, start: int, stop: int) -> None:
        """Count attempts and redrives, and let tiles wait. A topic that was made anew is read from its start.

        Where another keeper was there first it goes on behind what that one has counted: all is counted in the end.
        """
        following = min(max(reached, start), stop) if reached <= stop else start
        while following < stop:
            until = min(following + STEP, stop)
            counters, tiles = Counters(), []
            for record in self._river.read(place, following, until):
                match _document(record):
                    case Attempt() as attempt:
                        counters.add_attempt(attempt)
                    case RedriveNote() as note:
                        counters.add_redrive(note)
                    case Tile() as tile:
                        tiles.append((tile.id, attempts.encode(tile)))
            counted = Counted(read=(place, reached, until), tiles=tiles, counters=counters.all())
            is_first = self._store.count(counted)
            following = reached = until if is_first else self._store.read_to(place.topic)[place.partition]

    def _judge(self, committed: Mapping[TopicPartition, Committed]) -> None:
        places, values = self._store.waiting()
        tiles = [document for value in values if isinstance(document := attempts.decode(value), Tile)]
        for place, waiting in by_place(tiles).items():
            commit = committed.get(place)
            if commit is None:
                continue
            before = settled_at(places, place)
            verdict = judge(before, commit.offset, commit.metadata, waiting)
            if not verdict.done:
                continue
            counters = Counters()
            for tile in verdict.counting:
                counters.add_tile(tile, is_main=tile.topic == self._names.events)
            self._store.count(Counted(settled=(before, verdict.settled), done=verdict.done, counters=counters.all()))


def _document(record: Record) -> attempts.Document | None:
    """Read a record; what is no document counts nothing, and the audit names it."""
    try:
        document: attempts.Document = attempts.decode(record.value() or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return document
