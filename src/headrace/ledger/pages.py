"""The pages of the books: every tile and every note of a redrive that the attempts topic holds, each read once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from headrace.broker.port import Reader
from headrace.core.positions import Position
from headrace.core.volume import Volume
from headrace.model.record import Record, TopicPartition
from headrace.model.tile import RedriveNote, Tile
from headrace.wire import attempts

Seen = Callable[[int], None]
"""Hears how many records were read so far."""

REPORT_EVERY = 10_000
"""Records between two reports of progress."""


class Read(msgspec.Struct):
    """What was read of one partition of the attempts topic: from its *start* to, not including, *next*.

    Notes are by the partition number that they are about, in the order written; *unreadable* are sentences.
    """

    start: int
    next: int
    notes: defaultdict[int, list[RedriveNote]] = msgspec.field(default_factory=lambda: defaultdict(list))
    unreadable: list[str] = []


class Pages:
    """Remembers what it has read. *open_volume* makes an empty volume for a log."""

    def __init__(self, topic: str, open_volume: Callable[[TopicPartition], Volume]) -> None:
        self._topic = topic
        self._open_volume = open_volume
        self._read: dict[int, Read] = {}
        self.volumes: dict[TopicPartition, Volume] = {}

    def read(self, reader: Reader, ends: Mapping[int, Position], count: Callable[[], None]) -> None:
        """Read up to *ends* what is new. What is no document of the topic is named, and covers nothing."""
        self._forget(number for number, read in self._read.items() if self._has_changed(read, ends.get(number)))
        for number, position in sorted(ends.items()):
            read = self._read.setdefault(number, Read(position.start, position.start))
            for record in reader.read(TopicPartition(self._topic, number), read.next, position.end):
                count()
                self._enter(read, record)
                read.next = record.offset() + 1  # so that nothing is entered twice if the next one cannot be read
            read.next = position.end

    def write_anew(self, places: Sequence[TopicPartition]) -> None:
        """Forget the tiles of *places*, so that they are read again."""
        volumes = [self.volumes[place] for place in places if place in self.volumes]
        self._forget(number for volume in volumes for number in volume.sources)

    def notes(self, partition: int) -> Sequence[RedriveNote]:
        """Return the notes about dead letters of one partition number."""
        return [note for _, read in sorted(self._read.items()) for note in read.notes[partition]]

    @property
    def unreadable(self) -> Sequence[str]:
        """Sentences about records that cannot be read."""
        return [text for _, read in sorted(self._read.items()) for text in read.unreadable]

    @staticmethod
    def _has_changed(read: Read, position: Position | None) -> bool:
        """Whether something was deleted of what was read; then the books begin later than they did."""
        return position is None or position.start > read.start or position.end < read.next

    def _forget(self, numbers: Iterable[int]) -> None:
        """Forget partitions of the topic, and with a volume all that it was read from."""
        todo = list(numbers)
        while todo:
            number = todo.pop()
            self._read.pop(number, None)
            for place in [place for place, volume in self.volumes.items() if number in volume.sources]:
                todo += self.volumes.pop(place).sources - {number}

    def _enter(self, read: Read, record: Record) -> None:
        try:
            document = attempts.decode(record.value() or b"")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            where = f"{self._topic}/{record.partition()}"
            read.unreadable.append(f"{where}: the record {record.offset()} cannot be read: {error}")
            return
        match document:
            case Tile():
                place = TopicPartition(document.topic, document.partition)
                volume = self.volumes.get(place)
                if volume is None:
                    volume = self.volumes[place] = self._open_volume(place)
                volume.sources.add(record.partition())
                volume.add(document)
            case RedriveNote():
                read.notes[document.partition].append(document)


class Meter:
    """Counts records, and reports now and then."""

    def __init__(self, seen: Seen) -> None:
        self.records = 0
        self._seen = seen

    def __call__(self) -> None:
        self.records += 1
        if self.records % REPORT_EVERY == 0:
            self._seen(self.records)
