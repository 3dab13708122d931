"""Finds the logs that the books compare: the ends of topics, and the records that no counting tile covers."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from headrace.broker.port import Committed, Reader
from headrace.core.chain import follow, judge
from headrace.core.columns import Cell, Tally
from headrace.core.ledger import Graves, Letter, Log
from headrace.ledger.pages import Pages
from headrace.model.mark import NOBODY
from headrace.model.record import Record, TopicPartition
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
        committed: Mapping[TopicPartition, Committed],
        count: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._names = names
        self._routes = routes
        self._pages = pages
        self._committed = committed
        self._count = count
        self._bounds: dict[str, Mapping[int, tuple[int, int]]] = {}
        self._cells: dict[str, list[Cell]] = {}

    def log(self, place: TopicPartition, tier: str | None) -> Log:
        """Find one partition of the main topic, or of a tier."""
        tiles = self._pages.tiles.get(place, [])
        bounds = self._bounds_of(place.topic).get(place.partition)
        committed = self._committed.get(place, Committed(0))
        if bounds is None:
            # The topic was deleted, and the group's commits with it. Its last tile says how far it was settled.
            last = max(tiles, key=lambda tile: tile.next, default=None)
            committed = Committed(last.next, last.id) if last else Committed(0)
            bounds = (committed.offset, committed.offset)
        start, end = bounds
        chain = follow(committed.offset, committed.metadata, tiles)
        tally = self._tally_fresh if tier is None else self._tally_due
        return Log(
            topic=place.topic,
            partition=place.partition,
            tier=tier,
            start=start,
            committed=committed.offset,
            chain=chain,
            tail=tally(self.read(place, range(max(start, committed.offset), end))),
            uncovered=[tally(self.read(place, judge(gap, start).held)) for gap in chain.gaps],
        )

    def graves(self, partition: int) -> Graves:
        """Find one partition of the dead topic."""
        place = TopicPartition(self._names.dead, partition)
        start, end = self._bounds_of(place.topic).get(partition, (0, 0))
        letters = []
        for record in self.read(place, range(start, end)):
            letter = read_letter(record)
            letters.append(Letter(letter.offset, (letter.org, letter.destination), letter.died))
        return Graves(topic=place.topic, partition=partition, start=start, letters=letters)

    def held(self, place: TopicPartition) -> range:
        """Return the offsets that a partition holds."""
        return range(*self._bounds_of(place.topic).get(place.partition, (0, 0)))

    def read(self, place: TopicPartition, offsets: range) -> Iterable[Record]:
        """Read and count the records of *offsets*."""
        if offsets:
            for record in self._reader.read(place, offsets.start, offsets.stop):
                self._count()
                yield record

    def _bounds_of(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Ask once per topic for its bounds, as late as it is looked at."""
        if topic not in self._bounds:
            self._bounds[topic] = self._reader.bounds(topic) if topic in self._reader.topics() else {}
        return self._bounds[topic]

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
