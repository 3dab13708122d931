"""Finds the logs that the books compare: the ends of topics, and the records that no counting tile covers."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from headrace.broker.port import Reader
from headrace.core.chain import follow, judge
from headrace.core.columns import Cell, Tally
from headrace.core.ledger import Graves, Letter, Log
from headrace.core.positions import Position, Positions, gone
from headrace.ledger.pages import Pages
from headrace.model.mark import NOBODY
from headrace.model.record import Record, TopicPartition
from headrace.model.tile import Tile
from headrace.wire.envelope import org_of_key
from headrace.wire.letters import cell_of, read_letter
from headrace.wire.topics import TopicNames

RoutesOf = Callable[[str], Sequence[str]]
"""Names the destinations of an org, by the routes in force."""


class Shelves:
    """Takes logs down: one object per audit, after the pages were read."""

    def __init__(
        self,
        reader: Reader,
        names: TopicNames,
        routes: RoutesOf,
        pages: Pages,
        positions: Positions,
        now: Positions,
        count: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._names = names
        self._routes = routes
        self._pages = pages
        self._positions = positions
        self._now = now
        self._count = count
        self._cells: dict[str, list[Cell]] = {}

    def log(self, place: TopicPartition, tier: str | None) -> Log:
        """Find one partition of the main topic, or of a tier."""
        tiles = self._pages.tiles.get(place, [])
        position = self._position_of(place) or _left_by(tiles)
        start, committed, end = position.start, position.committed or 0, position.end
        chain = follow(committed, position.tile, tiles)
        tally = self._tally_fresh if tier is None else self._tally_due
        return Log(
            topic=place.topic,
            partition=place.partition,
            tier=tier,
            start=start,
            committed=committed,
            chain=chain,
            tail=tally(self.read(place, range(max(start, committed), end))),
            uncovered=[tally(self.read(place, judge(gap, start).held)) for gap in chain.gaps],
        )

    def graves(self, partition: int) -> Graves:
        """Find one partition of the dead topic."""
        place = TopicPartition(self._names.dead, partition)
        held = self.held(place)
        letters = []
        for record in self.read(place, held):
            letter = read_letter(record)
            letters.append(Letter(letter.offset, (letter.org, letter.destination), letter.died))
        # Retention may have deleted some since the log's start was asked for.
        start = letters[0].offset if letters else held.stop
        return Graves(topic=place.topic, partition=partition, start=start, letters=letters)

    def held(self, place: TopicPartition) -> range:
        """Return the offsets that a partition holds."""
        position = self._position_of(place)
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

    def _position_of(self, place: TopicPartition) -> Position | None:
        return self._positions.get(place.topic, {}).get(place.partition)

    def _tally_fresh(self, records: Iterable[Record]) -> Tally:
        """Count records of the main topic once per destination of their org's route; the key alone says whose."""
        tally = Tally()
        for record in records:
            for cell in self._cells_of(org_of_key(record.key()) or NOBODY):
                tally[cell] += 1
        return tally

    def _tally_due(self, records: Iterable[Record]) -> Tally:
        return Counter(map(cell_of, records))

    def _cells_of(self, org: str) -> list[Cell]:
        cells = self._cells.get(org)
        if cells is None:
            destinations = () if org == NOBODY else self._routes(org)
            cells = self._cells[org] = [(org, destination) for destination in destinations] or [(org, NOBODY)]
        return cells


def _left_by(tiles: Sequence[Tile]) -> Position:
    """Return where a topic stood that was deleted, and its commits with it: its last tile says how far it settled."""
    last = max(tiles, key=lambda tile: tile.next, default=None)
    return Position(last.next, last.next, last.next, last.id) if last else Position(0, 0)
