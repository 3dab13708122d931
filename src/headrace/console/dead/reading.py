"""Keeps the console's memory of the dead topic up to date: one thread reads what is new, once a second.

At the start it reads the newest letters only, then all of the attempts topic, where redrives are noted.
"""

import threading
from collections.abc import Callable, Iterator, Mapping

import msgspec

from headrace.broker.port import Reader
from headrace.clock import Clock
from headrace.console.dead.book import MOST, LetterBook
from headrace.console.dead.letters import Position, remember
from headrace.errors import HeadraceError, TopicMissing
from headrace.model.record import Record, TopicPartition
from headrace.model.tile import RedriveNote
from headrace.wire import attempts
from headrace.wire.times import from_text
from headrace.wire.topics import TopicNames

LOOK_EVERY = 1.0
"""Seconds between two looks."""

STEP = 5_000
"""Records after which what was read so far is remembered, and told."""


Bounds = Mapping[int, tuple[int, int]]
"""Per partition the first offset that is kept and the next one to be written."""


class LetterReading:
    """Reads into *book*. *open_reader* is called at the first look."""

    def __init__(
        self,
        book: LetterBook,
        open_reader: Callable[[], Reader],
        names: TopicNames,
        clock: Clock,
        *,
        most: int = MOST,
    ) -> None:
        self._book = book
        self._open_reader = open_reader
        self._names = names
        self._clock = clock
        self._most = most
        self._reader: Reader | None = None
        self._begins: dict[int, int] | None = None
        self._reached: dict[TopicPartition, int] = {}
        self._looking = threading.Lock()

    def close(self) -> None:
        """Release what is held."""
        with self._looking:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def look(self) -> None:
        """Read all that is new, from whichever thread; raise `BrokerError` when Kafka does not answer."""
        with self._looking:
            if self._reader is None:
                self._reader = self._open_reader()
            try:
                dead, noted = (self._bounds(self._reader, name) for name in (self._names.dead, self._names.attempts))
                self._tell_how_much(dead, noted)
                self._read_letters(self._reader, dead)
                self._read_notes(self._reader, noted)
            except HeadraceError:
                # What a broker says may name hosts, and the book is for every org.
                self._book.tell(problem="Kafka did not answer when dead letters were last looked for")
                raise
            self._book.tell(as_of=self._clock.wall(), problem="", read=0, to_read=0)

    def _tell_how_much(self, dead: Bounds, noted: Bounds) -> None:
        """Say how long it will take until everything is known, once."""
        if self._begins is None:
            self._begins = newest(dead, self._most)
            first = sum(stop - self._begins[partition] for partition, (_, stop) in dead.items())
            self._book.tell(to_read=first + sum(stop - start for start, stop in noted.values()))

    def _read_letters(self, reader: Reader, bounds: Bounds) -> None:
        begins = self._begins or {}
        floors = {partition: max(start, begins.get(partition, 0)) for partition, (start, _) in bounds.items()}
        for partition, (start, stop) in sorted(bounds.items()):
            place = TopicPartition(self._names.dead, partition)
            following = max(floors[partition], self._reached.get(place, 0))
            if following > stop:  # the topic was made anew
                self._book.forget(partition)
                begins.pop(partition, None)
                following = floors[partition] = start
            for some in self._portions(reader, place, following, stop):
                self._book.add(map(remember, some), {partition: floors[partition]})
        self._book.add((), floors)
        self._book.tell(
            left_out=sum(max(0, self._book.floor(partition) - start) for partition, (start, _) in bounds.items())
        )

    def _read_notes(self, reader: Reader, bounds: Bounds) -> None:
        for partition, (start, stop) in sorted(bounds.items()):
            place = TopicPartition(self._names.attempts, partition)
            following = max(start, self._reached.get(place, 0))
            for some in self._portions(reader, place, start if following > stop else following, stop):
                self._book.note_all(noted for record in some if (noted := self._noted(record)) is not None)

    def _noted(self, record: Record) -> tuple[Position, float] | None:
        """Return which letter *record* says was redriven, and when; None for any other document."""
        value = record.value() or b""
        if b'"redrive"' not in value:
            return None
        try:
            document = attempts.decode(value)
            if not isinstance(document, RedriveNote) or document.topic != self._names.dead:
                return None
            return (document.partition, document.offset), from_text(document.at)
        except (msgspec.DecodeError, ValueError):
            return None

    def _portions(self, reader: Reader, place: TopicPartition, start: int, stop: int) -> Iterator[list[Record]]:
        """Read a partition, and tell how far it is where that takes long."""
        while start < stop:
            until = min(start + STEP, stop)
            yield list(reader.read(place, start, until))
            self._reached[place] = start = until
            told = self._book.memory
            if told.as_of is None:
                self._book.tell(read=told.read + STEP)

    def _bounds(self, reader: Reader, topic: str) -> Bounds:
        try:
            return reader.bounds(topic)
        except TopicMissing:
            raise TopicMissing(f"the topic {topic} does not exist: `headrace topics apply` makes it") from None


def newest(bounds: Bounds, most: int) -> dict[int, int]:
    """Return from which offset on each partition is read so that it is *most* records in all.

    Partitions that hold little are read whole; the others alike.
    """
    sizes = sorted((stop - start, partition) for partition, (start, stop) in bounds.items())
    floors: dict[int, int] = {}
    for place, (size, partition) in enumerate(sizes):
        taken = min(size, most // (len(sizes) - place))
        most -= taken
        floors[partition] = bounds[partition][1] - taken
    return floors
