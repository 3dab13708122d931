"""Reads which dead letters were redriven: the attempts topic has a note of each, among millions of other documents."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from headrace.broker.port import Reader
from headrace.console.dead.book import LetterBook
from headrace.console.dead.letters import Position
from headrace.errors import TopicMissing
from headrace.model.record import Record, TopicPartition
from headrace.model.tile import RedriveNote
from headrace.wire import attempts
from headrace.wire.times import from_text
from headrace.wire.topics import TopicNames

STEP = 5_000
"""Records after which what was read so far is remembered, and told."""

SKEW = 300.0
"""Seconds by which the clocks of who buries letters and of who puts them back may differ."""

Bounds = Mapping[int, tuple[int, int]]
"""Per partition the first offset that is kept and the next one to be written."""


class NoteReading:
    """Reads into *book* what was noted from where it began on. A letter is redriven after it died, and noted then: so
    no note of it is older than the letter.
    """

    def __init__(self, book: LetterBook, names: TopicNames) -> None:
        self._book = book
        self._names = names
        self._reached: dict[int, int] | None = None

    def begin(self, reader: Reader, since: float | None, before: Bounds | None = None) -> int:
        """Begin with what was written at *since*, or with all; return how many records there are to read.

        *before* are the bounds as they were when it was looked for letters: later notes are always read.
        """
        bounds = bounds_of(reader, self._names.attempts)
        starts = {} if since is None else reader.offsets_at(self._names.attempts, max(0.0, since - SKEW))
        ends = before or bounds
        self._reached = {
            partition: max(first, min(starts.get(partition, first), ends.get(partition, (first, first))[1]))
            for partition, (first, _) in bounds.items()
        }
        return sum(end - self._reached[partition] for partition, (_, end) in bounds.items())

    @property
    def has_begun(self) -> bool:
        return self._reached is not None

    def read(self, reader: Reader, seen: Callable[[int], None] = lambda _: None) -> None:
        """Read all that is new; *seen* hears how many records are through. What it had read stays when it raises."""
        reached = self._reached
        assert reached is not None, "it has to begin somewhere"
        for partition, (first, stop) in sorted(bounds_of(reader, self._names.attempts).items()):
            start = max(first, reached.get(partition, 0))
            # Where the end is behind us, the topic was made anew.
            for some, until in portions(
                reader, self._names.attempts, partition, first if start > stop else start, stop
            ):
                self._book.note_all(note for record in some if (note := self._noted(record)) is not None)
                reached[partition] = until
                seen(len(some))

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


def portions(reader: Reader, topic: str, partition: int, start: int, stop: int) -> Iterator[tuple[list[Record], int]]:
    """Yield the records of `[start, stop)` some at a time, each with how far they reach."""
    while start < stop:
        until = min(start + STEP, stop)
        yield list(reader.read(TopicPartition(topic, partition), start, until)), until
        start = until


def bounds_of(reader: Reader, topic: str) -> Bounds:
    """Return the bounds of *topic*; raise `TopicMissing` with the way out."""
    try:
        return reader.bounds(topic)
    except TopicMissing:
        raise TopicMissing(f"the topic {topic} does not exist: `headrace topics apply` makes it") from None
