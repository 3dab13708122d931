"""The audit: closes the books where the river stands, or at positions where it once stood.

On a river that flows they balance too, since positions are taken in the order in which things happen (`positions`).
"""

from collections.abc import Sequence
from math import inf

import msgspec

from headrace.broker.port import Reader
from headrace.core.columns import Account, Problem
from headrace.core.edge import edge_of
from headrace.core.ledger import balance
from headrace.core.positions import Positions, check
from headrace.core.report import Findings
from headrace.core.volume import KEPT, Volume
from headrace.ledger.deep import Depth
from headrace.ledger.logs import Logs, RoutesOf, Shelves
from headrace.ledger.pages import Meter, Pages, Seen
from headrace.ledger.positions import look
from headrace.model.mark import NOBODY
from headrace.model.record import TopicPartition
from headrace.wire.topics import TopicNames


class Audit(msgspec.Struct, frozen=True):
    """The closed books and where they were closed, and what reading every record found (None: it was not asked for)."""

    account: Account
    positions: Positions = {}
    findings: Findings | None = None


class Ledger:
    """Closes the books again and again, and reads each time only what is new; what is in them does not depend on that.

    *routes* are those in force, and tell whose what is in flight is. A *deep* ledger adds no tiles up: it keeps all;
    any other keeps the newest *kept* of each log.
    """

    def __init__(self, names: TopicNames, routes: RoutesOf, *, deep: bool = False, kept: int = KEPT) -> None:
        self._names = names
        self._routes = routes
        self._deep = deep
        self._pages = Pages(names.attempts, lambda place: Volume(self._since(place), kept))
        self._shelves = Shelves()
        self._until: dict[int, float] = {}
        self._strayed: dict[TopicPartition, float] = {}

    def close(self, reader: Reader, at: Positions | None = None, seen: Seen = lambda _: None) -> Audit:
        """Close the books now, or *at* former positions, no earlier than those of the last time.

        Raise `TopicMissing`, `BrokerError` when Kafka does not answer, and `HeadraceError` when it keeps what is
        needed no more.
        """
        names, now = self._names, look(reader, self._names)
        positions = now if at is None else at
        check(positions, now, named=(names.attempts, names.events, names.dead), whole=(names.attempts, names.dead))
        meter = Meter(seen)
        logs = Logs(reader, names, self._routes, self._shelves, positions, now, meter)
        self._bind(reader, logs, positions, meter)
        account = Account(problems=[Problem(NOBODY, text) for text in self._pages.unreadable])
        depth = Depth(logs) if self._deep else None
        for number in _numbers(positions, names):
            main, *tiers = [logs.log(place, self._volume(place)) for place in self._places(number, positions)]
            graves = logs.graves(number)
            books = balance(main, tiers, graves, self._pages.notes(number))
            if depth is not None:
                depth.sound(books, main, tiers, graves)
            account.add(books)
        seen(meter.records)
        return Audit(account, positions, depth.findings if depth else None)

    def _bind(self, reader: Reader, logs: Logs, positions: Positions, meter: Meter) -> None:
        """Read the pages until every chain runs through its sheets, and the edge of the books cuts none of them.

        That takes one pass, and up to three after retention has moved the edge or a commit has gone back.
        """
        while True:
            self._pages.read(reader, positions[self._names.attempts], meter)
            spoilt = [
                place for number in _numbers(positions, self._names) for place in self._spoilt(number, logs, positions)
            ]
            if not spoilt:
                return
            self._pages.write_anew(spoilt)

    def _spoilt(self, number: int, logs: Logs, positions: Positions) -> Sequence[TopicPartition]:
        """Name the logs of one partition number whose sheets say too little, and note what is not to be added up."""
        chains = {place: logs.chain(place, self._volume(place)) for place in self._places(number, positions)}
        strayed = [place for place, chain in chains.items() if chain is None]
        for place in strayed:
            self._strayed[place] = self._volume(place).newest
        if strayed:
            return strayed
        known = [
            (chain, logs.position(place, self._volume(place)).start)
            for place, chain in chains.items()
            if chain is not None
        ]
        self._until[number] = edge_of(known).until
        sheets = [(place, each) for place in chains for each in self._volume(place).sheets]
        return [place for place, sheet in sheets if sheet.oldest <= self._since(place)]

    def _since(self, place: TopicPartition) -> float:
        """Return from when on the tiles of a log may be added up."""
        delay = self._names.delay_of(place.topic) or 0.0
        until = self._until.get(place.partition, -inf) + delay
        return inf if self._deep else max(until, self._strayed.get(place, -inf))

    def _places(self, number: int, positions: Positions) -> Sequence[TopicPartition]:
        """Name the logs of one partition number: the main topic's, and its tiers', existing or told of by tiles."""
        known = {TopicPartition(topic, number) for topic, numbers in positions.items() if number in numbers}
        known |= {place for place in self._pages.volumes if place.partition == number}
        tiers = sorted(place for place in known if self._names.delay_of(place.topic) is not None)
        return [TopicPartition(self._names.events, number), *tiers]

    def _volume(self, place: TopicPartition) -> Volume:
        return self._pages.volumes.get(place) or Volume()


def audit(
    reader: Reader,
    names: TopicNames,
    routes: RoutesOf,
    *,
    deep: bool = False,
    at: Positions | None = None,
    seen: Seen = lambda _: None,
) -> Audit:
    """Close the books of the whole river once, as a `Ledger` does; *deep* reads every record, and compares by id."""
    return Ledger(names, routes, deep=deep).close(reader, at, seen)


def _numbers(positions: Positions, names: TopicNames) -> range:
    """Return the partition numbers of the river."""
    return range(max(len(numbers) for topic, numbers in positions.items() if topic != names.attempts))
