"""The pages of the books: every tile and every note of a redrive that the attempts topic holds."""

from collections import defaultdict
from collections.abc import Callable, Mapping

import msgspec

from headrace.broker.port import Reader
from headrace.core.positions import Position
from headrace.model.record import TopicPartition
from headrace.model.tile import RedriveNote, Tile
from headrace.wire import attempts

Seen = Callable[[int], None]
"""Hears how many records were read so far."""

REPORT_EVERY = 10_000
"""Records between two reports of progress."""


class Pages(msgspec.Struct):
    """Tiles by the partition that they cover and notes by partition number, each in the order it was written."""

    tiles: defaultdict[TopicPartition, list[Tile]] = msgspec.field(default_factory=lambda: defaultdict(list))
    notes: defaultdict[int, list[RedriveNote]] = msgspec.field(default_factory=lambda: defaultdict(list))
    unreadable: list[str] = []


def read_pages(reader: Reader, topic: str, ends: Mapping[int, Position], count: Callable[[], None]) -> Pages:
    """Read the attempts topic up to its *ends*. What is no document of it is named, and covers nothing."""
    pages = Pages()
    for partition, position in sorted(ends.items()):
        for record in reader.read(TopicPartition(topic, partition), position.start, position.end):
            count()
            try:
                document = attempts.decode(record.value() or b"")
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                pages.unreadable.append(f"{topic}/{partition}: the record {record.offset()} cannot be read: {error}")
                continue
            match document:
                case Tile():
                    pages.tiles[TopicPartition(document.topic, document.partition)].append(document)
                case RedriveNote():
                    pages.notes[document.partition].append(document)
    return pages


class Meter:
    """Counts records, and reports now and then."""

    def __init__(self, seen: Seen) -> None:
        self.records = 0
        self._seen = seen

    def __call__(self) -> None:
        self.records += 1
        if self.records % REPORT_EVERY == 0:
            self._seen(self.records)
