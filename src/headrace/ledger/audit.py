"""The audit: reads tiles and commits first and the ends of topics last, so that a river that flows balances too.

What a counting tile says was put somewhere had been acknowledged before, so whoever looks there later finds it.
"""

from collections.abc import Sequence

import msgspec

from headrace.broker.port import Reader
from headrace.core.columns import Account, Problem
from headrace.core.ledger import balance
from headrace.errors import TopicMissing
from headrace.ledger.deep import Depth, Findings
from headrace.ledger.logs import RoutesOf, Shelves
from headrace.ledger.pages import Meter, Pages, Seen, read_pages
from headrace.model.mark import NOBODY
from headrace.model.record import TopicPartition
from headrace.wire.topics import TopicNames


class Audit(msgspec.Struct, frozen=True):
    """The closed books, and what reading every record found beside them (None: it was not asked for)."""

    account: Account
    findings: Findings | None = None


def audit(
    reader: Reader, names: TopicNames, routes: RoutesOf, *, deep: bool = False, seen: Seen = lambda _: None
) -> Audit:
    """Close the books of the whole river. *routes* are those in force, and tell whose what is in flight is.

    *deep* reads every record as well, and compares by id. Raises `TopicMissing`, and `BrokerError` when Kafka does
    not answer.
    """
    topics = reader.topics()
    for name in (names.events, names.dead, names.attempts):
        if name not in topics:
            raise TopicMissing(f"the topic {name} does not exist: `headrace topics apply` makes it")
    tiers = [name for name in topics if names.delay_of(name) is not None]
    places = [TopicPartition(topic, number) for topic in (names.events, *tiers) for number in range(topics[topic])]
    committed = reader.committed(names.group, places)
    meter = Meter(seen)
    pages = read_pages(reader, names.attempts, meter)
    shelves = Shelves(reader, names, routes, pages, committed, meter)
    account = Account(problems=[Problem(NOBODY, text) for text in pages.unreadable])
    depth = Depth(shelves) if deep else None
    for number in range(max(topics[name] for name in (names.events, names.dead, *tiers))):
        found = _tiers_of(number, places, pages, names)
        main = shelves.log(TopicPartition(names.events, number), None)
        logs = [shelves.log(place, names.tier_of(place.topic)) for place in found]
        graves = shelves.graves(number)
        books = balance(main, logs, graves, pages.notes[number])
        if depth is not None:
            depth.sound(books, main, logs, graves)
        account.add(books)
    seen(meter.records)
    return Audit(account, depth.findings if depth else None)


def _tiers_of(
    number: int, places: Sequence[TopicPartition], pages: Pages, names: TopicNames
) -> Sequence[TopicPartition]:
    """Name the tiers' partitions of one number: those that exist, and those that tiles of a deleted topic tell of."""
    known = {place for place in (*places, *pages.tiles) if place.partition == number}
    return sorted(place for place in known if names.delay_of(place.topic) is not None)
