"""Finds the logs that the books compare: the ends of topics, and the records that no counting tile covers."""

from collections.abc import Callable, Iterable, Sequence

from headrace.broker.port import Reader
from headrace.core.chain import Chain, follow, judge
from headrace.core.columns import Cell, Tally
from headrace.core.ledger import Deaths, Graves, Log
from headrace.core.positions import Position, Positions, gone
from headrace.core.sheet import Piece, hour
from headrace.core.volume import Volume
from headrace.ledger.shelf import Shelf
from headrace.model.mark import NOBODY
from headrace.model.record import Record, TopicPartition
from headrace.wire.envelope import org_of_key
from headrace.wire.letters import cell_of, read_letter
from headrace.wire.topics import TopicNames

RoutesOf = Callable[[str], Sequence[str]]
"""Names the destinations of an org, by the routes in force."""


class Shelves:
    """What each log holds unsettled, and the dead letters: kept from one closing of the books to the next."""

    def __init__(self) -> None:
        self.fresh: dict[TopicPartition, Shelf[str]] = {}
        self.due: dict[TopicPartition, Shelf[Cell]] = {}
        self.dead: dict[TopicPartition, Shelf[tuple[float, Cell]]] = {}


class Logs:
    """Takes logs down: one object for each closing, after the pages were read."""

    def __init__(
        self,
        reader: Reader,
        names: TopicNames,
        routes: RoutesOf,
        shelves: Shelves,
        positions: Positions,
        now: Positions,
        count: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._names = names
        self._routes = routes
        self._shelves = shelves
        self._positions = positions
        self._now = now
        self._count = count
        self._cells: dict[str, list[Cell]] = {}

    def chain(self, place: TopicPartition, volume: Volume) -> Chain[Piece] | None:
        """Follow a log's chain; None when its *volume* has to be written anew."""
        position = self.position(place, volume)
        return volume.chain(position.committed or 0, position.tile)

    def log(self, place: TopicPartition, volume: Volume) -> Log:
        """Find one partition of the main topic, or of a tier."""
        position = self.position(place, volume)
        start, committed = position.start, position.committed or 0
        pieces: list[Piece] = [*volume.sheets, *volume.loose]
        chain = follow(committed, position.tile, pieces)
        tail = range(max(start, committed), max(start, committed, position.end))
        tally = self._tally_fresh if place.topic == self._names.events else self._tally_due
        return Log(
            topic=place.topic,
            partition=place.partition,
            tier=self._names.tier_of(place.topic),
            start=start,
            committed=committed,
            chain=chain,
            tail=tally(place, tail, shelved=True),
            uncovered=[tally(place, judge(gap, start).held, shelved=False) for gap in chain.gaps],
        )

    def graves(self, partition: int) -> Graves:
        """Find one partition of the dead topic."""
        place = TopicPartition(self._names.dead, partition)
        held = self.held(place)
        shelf = self._shelves.dead.setdefault(place, Shelf(_death))
        letters = Deaths(shelf.tally(held, lambda offsets: self.read(place, offsets)))
        # Retention may have deleted some since the log's start was asked for.
        start = held.stop if shelf.first is None else shelf.first
        return Graves(topic=place.topic, partition=partition, start=start, next=held.stop, letters=letters)

    def held(self, place: TopicPartition) -> range:
        """Return the offsets that a partition holds."""
        position = self._positions.get(place.topic, {}).get(place.partition)
        return range(position.start, position.end) if position else range(0)

    def read(self, place: TopicPartition, offsets: range) -> Iterable[Record]:
        """Read and count the records of *offsets*; raise `HeadraceError` when they are kept no more."""
        if offsets:
            start = self._now[place.topic][place.partition].start
            if start > offsets.start:
                raise gone(place, offsets.start, start)
            for record in self._reader.read(place, offsets.start, offsets.stop):
                self._count()
                yield record

    def position(self, place: TopicPartition, volume: Volume) -> Position:
        """Return where a log stood; of a topic that was deleted its tiles tell."""
        return self._positions.get(place.topic, {}).get(place.partition) or _left_by(volume)

    def _tally_fresh(self, place: TopicPartition, offsets: range, *, shelved: bool) -> Tally:
        """Count records of the main topic once per destination of their org's route; the key alone says whose."""
        shelf = self._shelves.fresh.setdefault(place, Shelf(_owner)) if shelved else Shelf(_owner)
        tally = Tally()
        for org, records in shelf.tally(offsets, lambda part: self.read(place, part)).items():
            for cell in self._cells_of(org):
                tally[cell] += records
        return tally

    def _tally_due(self, place: TopicPartition, offsets: range, *, shelved: bool) -> Tally:
        shelf = self._shelves.due.setdefault(place, Shelf(cell_of)) if shelved else Shelf(cell_of)
        return shelf.tally(offsets, lambda part: self.read(place, part))

    def _cells_of(self, org: str) -> list[Cell]:
        cells = self._cells.get(org)
        if cells is None:
            destinations = () if org == NOBODY else self._routes(org)
            cells = self._cells[org] = [(org, destination) for destination in destinations] or [(org, NOBODY)]
        return cells


def _owner(record: Record) -> str:
    return org_of_key(record.key()) or NOBODY


def _death(record: Record) -> tuple[float, Cell]:
    letter = read_letter(record)
    return hour(letter.died), (letter.org, letter.destination)


def _left_by(volume: Volume) -> Position:
    """Return where a topic stood that was deleted, and its commits with it: its last tile says how far it settled."""
    pieces: list[Piece] = [*volume.sheets, *volume.loose]
    last = max(pieces, key=lambda piece: piece.next, default=None)
    return Position(last.next, last.next, last.next, last.id) if last else Position(0, 0)
