"""Keeps the console's memory of the dead topic up to date: one thread reads what is new, once a second.

At the start it reads the newest letters only, then the notes of redrives from the time on at which the oldest of them
died. That may take long; nobody waits for it.
"""

import threading
from collections.abc import Callable
from math import inf

from headrace.broker.port import Reader
from headrace.clock import Clock
from headrace.console.dead.book import MOST, LetterBook
from headrace.console.dead.letters import remember
from headrace.console.dead.notes import Bounds, NoteReading, bounds_of, portions
from headrace.errors import HeadraceError
from headrace.wire.topics import TopicNames

LOOK_EVERY = 1.0
"""Seconds between two looks."""


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
        self._noted_before: Bounds = {}
        self._reached: dict[int, int] = {}
        self._oldest = inf
        self._notes = NoteReading(book, names)
        self._looking = threading.Lock()

    @property
    def is_complete(self) -> bool:
        """Whether all was read once, so that a look is short."""
        return self._book.memory.as_of is not None

    def close(self) -> None:
        """Release what is held."""
        with self._looking:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def look(self) -> None:
        """Read all that is new, from whichever thread; raise `BrokerError` when Kafka does not answer.

        The first look takes as long as there is much to read: whoever cannot wait asks whether it `is_complete`.
        """
        with self._looking:
            if self._reader is None:
                self._reader = self._open_reader()
            try:
                self._read_letters(self._reader)
                self._read_notes(self._reader)
            except HeadraceError:
                # What a broker says may name hosts, and the book is for every org.
                self._book.tell(problem="Kafka did not answer when dead letters were last looked for")
                raise
            self._book.tell(as_of=self._clock.wall(), problem="", read=0, to_read=0)

    def _read_letters(self, reader: Reader) -> None:
        if self._begins is None:
            # First, so that each note that is there already is of a letter that will be.
            self._noted_before = bounds_of(reader, self._names.attempts)
            bounds = bounds_of(reader, self._names.dead)
            self._begins = newest(bounds, self._most)
            self._book.tell(to_read=sum(stop - self._begins[partition] for partition, (_, stop) in bounds.items()))
        else:
            bounds = bounds_of(reader, self._names.dead)
        floors = {partition: max(start, self._begins.get(partition, 0)) for partition, (start, _) in bounds.items()}
        for partition, (start, stop) in sorted(bounds.items()):
            following = max(floors[partition], self._reached.get(partition, 0))
            if following > stop:  # the topic was made anew
                self._book.forget(partition)
                self._begins.pop(partition, None)
                following = floors[partition] = start
            for some, until in portions(reader, self._names.dead, partition, following, stop):
                self._oldest = min(self._oldest, *(record.timestamp()[1] / 1000 for record in some), inf)
                self._book.add(map(remember, some), {partition: floors[partition]})
                self._reached[partition] = until
                self._seen(len(some))
        self._book.add((), floors)
        left_out = sum(max(0, self._book.floor(partition) - start) for partition, (start, _) in bounds.items())
        if left_out != self._book.memory.left_out:
            self._book.tell(left_out=left_out)

    def _read_notes(self, reader: Reader) -> None:
        if not self._notes.has_begun:
            to_read = self._notes.begin(reader, min(self._oldest, self._clock.wall()), self._noted_before)
            self._book.tell(is_whole=True, read=0, to_read=to_read)
        self._notes.read(reader, self._seen)

    def _seen(self, records: int) -> None:
        """Tell how far it is, as long as that takes long."""
        if not self.is_complete:
            self._book.tell(read=self._book.memory.read + records)


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
