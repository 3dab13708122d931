"""The audit: closes the books where the river stands, or at positions where it once stood.

On a river that flows they balance too, since positions are taken in the order in which things happen (`positions`).
"""

from collections.abc import Sequence

import msgspec

from headrace.broker.port import Reader
from headrace.core.columns import Account, Problem
from headrace.core.ledger import balance
from headrace.core.positions import Positions, check
from headrace.core.report import Findings
from headrace.ledger.deep import Depth
from headrace.ledger.logs import RoutesOf, Shelves
from headrace.ledger.pages import Meter, Pages, Seen, read_pages
from headrace.ledger.positions import look
from headrace.model.mark import NOBODY
from headrace.model.record import TopicPartition
from headrace.wire.topics import TopicNames


class Audit(msgspec.Struct, frozen=True):
    """The closed books and where they were closed, and what reading every record found (None: it was not asked for)."""

    account: Account
    positions: Positions = {}
    findings: Findings | None = None


def audit(
    reader: Reader,
    names: TopicNames,
    routes: RoutesOf,
    *,
    deep: bool = False,
    at: Positions | None = None,
    seen: Seen = lambda _: None,
) -> Audit:
    """Close the books of the whole river. *routes* are those in force, and tell whose what is in flight is.

    *deep* reads every record as well, and compares by id. *at* closes them at former positions instead of now. Raises
    `TopicMissing`, `BrokerError` when Kafka does not answer, and `HeadraceError` when it keeps what is needed no more.
    """
    now = look(reader, names)
    positions = now if at is None else at
    check(positions, now, named=(names.attempts, names.events, names.dead), whole=(names.attempts, names.dead))
    meter = Meter(seen)
    pages = read_pages(reader, names.attempts, positions[names.attempts], meter)
    shelves = Shelves(reader, names, routes, pages, positions, now, meter)
    account = Account(problems=[Problem(NOBODY, text) for text in pages.unreadable])
    depth = Depth(shelves) if deep else None
    for number in range(max(len(numbers) for topic, numbers in positions.items() if topic != names.attempts)):
        found = _tiers_of(number, positions, pages, names)
        main = shelves.log(TopicPartition(names.events, number), None)
        logs = [shelves.log(place, names.tier_of(place.topic)) for place in found]
        graves = shelves.graves(number)
        books = balance(main, logs, graves, pages.notes[number])
        if depth is not None:
            depth.sound(books, main, logs, graves)
        account.add(books)
    seen(meter.records)
    return Audit(account, positions, depth.findings if depth else None)


def _tiers_of(number: int, positions: Positions, pages: Pages, names: TopicNames) -> Sequence[TopicPartition]:
    """Name the tiers' partitions of one number: those that exist, and those that tiles of a deleted topic tell of."""
    known = {TopicPartition(topic, number) for topic, numbers in positions.items() if number in numbers}
    known |= {place for place in pages.tiles if place.partition == number}
    return sorted(place for place in known if names.delay_of(place.topic) is not None)
