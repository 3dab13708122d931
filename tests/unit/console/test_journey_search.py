"""One event among many: found within the bounds of a search, at a river's real pace, and followed on busy tiers."""

from collections.abc import Iterable
from typing import Any

import pytest

from headrace.broker.memory import MemoryBroker
from headrace.broker.memory_reader import MemoryReader
from headrace.broker.partitioning import partition_of
from headrace.console.telling.finding import Found, find
from headrace.console.telling.journey import Chain, Station
from headrace.console.telling.search import Identity, Search
from headrace.console.views.journey import RECORDS
from headrace.model.mark import Mark
from headrace.model.record import Origin, Record, TopicPartition
from headrace.model.topic import TopicState
from headrace.testing.clock import EPOCH, FakeClock
from headrace.testing.eventlog_contract import event
from headrace.wire import attempts, headers
from headrace.wire.attempts import Attempt, Count, Span, Tile
from headrace.wire.times import to_text
from headrace.wire.topics import TopicNames

NAMES = TopicNames("")
PARTITIONS = 12
TIER = "headrace.retry.30s"
WHO = Identity(org="acme", session="s-1", source="/orgs/acme/bots/helpdesk", id="e1")
OTHER = event("another")


class Counting(MemoryReader):
    """Notes which offsets were read."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker._cluster)
        self.seen: list[tuple[str, int, int]] = []

    def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]:
        for record in super().read(partition, start, stop):
            self.seen.append((*partition, record.offset()))
            yield record


class Flood:
    """A memory broker with a river of twelve partitions, and a search over it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.broker = MemoryBroker(self.clock)
        for topic in (NAMES.events, TIER, NAMES.dead, NAMES.attempts):
            self.broker.admin().create(TopicState(name=topic, partitions=PARTITIONS, replication=1, config={}))
        self.reader = Counting(self.broker)

    def flow(self, seconds: float, per_second: int, topic: str = NAMES.events) -> None:
        """Write others' records, partition by partition in turn."""
        for number in range(round(seconds * per_second)):
            self.clock.advance(1 / per_second)
            self.write(topic, number % PARTITIONS, OTHER)

    def write(self, topic: str, partition: int, value: bytes, **record: Any) -> Origin:
        place, cluster = TopicPartition(topic, partition), self.broker._cluster
        with cluster.changed:
            cluster.write(place, record.get("key"), value, record.get("headers", ()))
            return Origin(topic, partition, cluster.log(place).end - 1)

    def search(self, records: int = RECORDS) -> Search:
        return Search(self.reader, self.clock, records, 3600.0)

    def find(self, search: Search, at: float, since: float | None = None) -> Found:
        return find(search, NAMES.events, WHO, at, since)

    def move(
        self, topic: str, origin: Origin, *, attempts_: int = 1, due: float = 30.0, redriven: bool = False
    ) -> Origin:
        now = self.clock.wall()
        mark = Mark(destination="crm", origin=origin, attempts=attempts_, first_failed_at=now, due_at=now + due,
                    reason="failed", error="503", redriven=redriven)  # fmt: skip
        return self.write(topic, origin.partition, event("e1"), headers=headers.encode(mark))

    def book(self, place: Origin, **fates: Any) -> None:
        """Write the tile that covers *place*."""
        tile = Tile(
            id="t", previous=None, topic=place.topic, partition=place.partition, first=place.offset,
            next=place.offset + 1, records=1, at=to_text(self.clock.wall()),
            counts=[Count(org="acme", destination="crm", **fates)],
        )  # fmt: skip
        self.note(attempts.encode(tile), place)

    def post(self, *places: Origin) -> None:
        attempt = Attempt(
            org="acme", destination="crm", at=to_text(self.clock.wall()), ms=1.0, events=2, bytes=9, retryable=2,
            spans=[Span(each.topic, each.partition, each.offset, each.offset, 1) for each in places],
        )  # fmt: skip
        self.note(attempts.encode(attempt), places[0])

    def note(self, value: bytes, place: Origin) -> None:
        key = attempts.key(place.topic, place.partition)
        self.write(NAMES.attempts, partition_of(key, PARTITIONS), value, key=key)

    def chain(self, search: Search, origin: Origin, written: float, **more: Any) -> list[Station]:
        return Chain(search, NAMES, [TIER], origin, "acme", **more).from_(written)


def place_of(found: Found) -> Origin | None:
    record = found.record
    return None if record is None else Origin(record.topic(), record.partition(), record.offset())


@pytest.mark.parametrize("lateness", [0.02, 2.5])
def test_at_a_thousand_events_a_second_an_event_is_found_on_whatever_partition(lateness: float) -> None:
    flood = Flood()
    flood.flow(6, 1_000)
    at = flood.clock.wall()
    flood.flow(lateness, 1_000)
    written = flood.write(NAMES.events, 11, event("e1"))
    flood.flow(6, 1_000)
    search = flood.search()

    assert place_of(flood.find(search, at)) == written
    assert search.looked_at <= (700 if lateness < 0.3 else 10_100)
    assert not search.is_cut


def test_an_event_that_came_from_a_journal_minutes_later_is_found() -> None:
    flood = Flood()
    at = flood.clock.wall()
    flood.flow(240, 60)
    written = flood.write(NAMES.events, 3, event("e1"))
    flood.flow(30, 60)
    search = flood.search()

    assert place_of(flood.find(search, at)) == written
    assert not search.is_cut


def test_where_order_is_kept_its_partition_is_searched_before_the_others() -> None:
    flood = Flood()
    at = flood.clock.wall()
    flood.flow(120, 100)
    written = flood.write(NAMES.events, partition_of(b"acme/s-1", PARTITIONS), event("e1"))
    search = flood.search(8_000)

    assert place_of(flood.find(search, at)) == written, "all partitions would have been 12,000 records"


def test_beyond_its_bounds_a_search_says_from_where_to_go_on_and_none_reads_anything_twice() -> None:
    flood = Flood()
    at = flood.clock.wall()
    flood.flow(300, 30)
    written = flood.write(NAMES.events, 7, event("e1"))
    flood.flow(10, 30)

    search = flood.search(3_000)
    found, searches = flood.find(search, at), 1
    while found.record is None and searches < 10:
        assert search.is_cut
        assert search.looked_at <= 3_000
        assert len(set(flood.reader.seen)) == len(flood.reader.seen)
        passed = {offset for _, partition, offset in flood.reader.seen if partition == 7}
        flood.reader.seen.clear()
        assert written.offset not in passed
        search = flood.search(3_000)
        found, searches = flood.find(search, at, found.until), searches + 1

    assert place_of(found) == written


def test_the_tiles_say_where_an_event_went_so_that_busy_tiers_are_not_read() -> None:
    flood = Flood()
    flood.flow(100, 20, TIER)
    written_at = flood.clock.wall()
    origin = flood.write(NAMES.events, 5, event("e1"))
    flood.clock.advance(1)
    flood.post(Origin(NAMES.events, 2, 0), origin)
    tier = flood.move(TIER, origin)
    flood.book(origin, tiers={"30s": 1})
    flood.flow(30, 20, TIER)
    flood.post(tier)
    dead = flood.move(NAMES.dead, origin, attempts_=2)
    flood.book(tier, dead={"rejected": 1})
    flood.flow(1_000, 20, TIER)
    search = flood.search()

    stations = flood.chain(search, origin, written_at)

    assert [each.kind for each in stations] == ["posted", "hopped", "posted", "died"]
    assert [each.place for each in stations] == [str(origin), str(tier), str(tier), str(dead)]
    assert search.looked_at < 50, "and 1,600 records came to that partition of the tier since"


def test_what_was_delivered_at_once_went_to_no_tier() -> None:
    flood = Flood()
    origin = flood.write(NAMES.events, 5, event("e1"))
    flood.book(origin, delivered=1)
    flood.flow(50, 20, TIER)
    search = flood.search()

    assert flood.chain(search, origin, EPOCH) == []
    assert search.looked_at == 1


def test_an_event_that_was_redriven_is_followed_on() -> None:
    flood = Flood()
    origin = flood.write(NAMES.events, 5, event("e1"))
    flood.move(NAMES.dead, origin, due=0.0)
    flood.book(origin, dead={"rejected": 1})
    flood.flow(600, 20, TIER)
    again = flood.move(TIER, origin, attempts_=0, due=5.0, redriven=True)
    noted = flood.clock.wall()
    flood.clock.advance(5)
    flood.post(again)
    flood.book(again, delivered=1)
    search = flood.search()

    stations = flood.chain(search, origin, EPOCH, redriven={(5, 0): noted}.get)

    assert [(each.kind, each.place) for each in stations[1:]] == [("hopped", str(again)), ("posted", str(again))]
    assert search.looked_at < 400
