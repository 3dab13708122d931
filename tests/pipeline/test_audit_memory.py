"""The books of a real worker over the memory broker: they balance while it works, and miss any tile that is deleted."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from headrace.broker.memory import MemoryBroker
from headrace.broker.port import Committed
from headrace.clock import SystemClock
from headrace.core.schedule import RetrySchedule
from headrace.delivery.crew import Plan
from headrace.delivery.settings import DeliverySettings
from headrace.delivery.worker import Worker
from headrace.ledger.audit import audit
from headrace.ledger.report import Report, report
from headrace.model.destination import Destination
from headrace.model.outcome import Busy, Each, Rejected
from headrace.model.record import Record, TopicPartition
from headrace.model.tile import Tile
from headrace.model.topic import TopicState
from headrace.model.units import Duration
from headrace.sinks.memory import MemorySink
from headrace.wire import attempts
from headrace.wire.topics import TopicNames

NAMES = TopicNames()
SCHEDULE = RetrySchedule([Duration(0.05), Duration(0.1)], Duration(30))
TOPICS = [NAMES.events, NAMES.dead, NAMES.attempts, *map(NAMES.retry, SCHEDULE.tiers)]


class NoSettings(msgspec.Struct, frozen=True):
    """A memory sink needs none."""


class Listener:
    """Asks nothing of a rebalance."""

    def on_assign(self, assigned: Mapping[TopicPartition, Committed | None]) -> None: ...
    def on_revoke(self, revoked: Sequence[TopicPartition]) -> None: ...
    def on_lost(self, lost: Sequence[TopicPartition]) -> None: ...


class River:
    """A memory broker with one worker that posts to two memory sinks."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.sinks = {"log": MemorySink(), "crm": MemorySink()}
        self.destinations = {name: Destination(name=name, type="memory", settings=NoSettings()) for name in self.sinks}
        self.producer = self.broker.producer(memory=1 << 24)
        for topic in TOPICS:
            self.broker.admin().create(TopicState(name=topic, partitions=2, replication=1))

    def routes(self, org: str) -> Sequence[Destination]:
        return {"a": [self.destinations["log"], self.destinations["crm"]], "b": [self.destinations["log"]]}.get(org, [])

    def emit(self, *orgs: str) -> None:
        for number, org in enumerate(orgs):
            value = b'{"specversion":"1.0","id":"%d","source":"/orgs/%s/bots/b","type":"t"}' % (number, org.encode())
            self.write(NAMES.events, f"{org}/s".encode(), value, number % 2)

    def write(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        number: int,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        self.producer.produce(topic, key=key, value=value, headers=headers, partition=number)
        assert self.producer.flush(1.0) == 0

    @contextmanager
    def worker(self) -> Iterator[None]:
        worker = Worker(
            Plan(
                max_record_bytes=64 << 20,
                settings=DeliverySettings(),
                schedule=SCHEDULE,
                names=NAMES,
                broker=self.broker,
                routes=self.routes,
                destinations=self.destinations,
                sinks=self.sinks,
                clock=SystemClock(),
            )
        )
        thread = threading.Thread(target=lambda: asyncio.run(worker.run()))
        thread.start()
        try:
            yield
        finally:
            worker.stop()
            thread.join(30)

    def records(self, topic: str) -> list[Record]:
        reader = self.broker.reader()
        bounds = sorted(reader.bounds(topic).items())
        return [record for number, span in bounds for record in reader.read(TopicPartition(topic, number), *span)]

    def copy(self, *, without: Record) -> "River":
        """Copy all topics and commits but for one record of the attempts topic."""
        other, reader = River(), self.broker.reader()
        for topic in TOPICS:
            for record in self.records(topic):
                if topic != NAMES.attempts or record.value() != without.value():
                    other.write(topic, record.key(), record.value(), record.partition(), record.headers() or ())
        places = [TopicPartition(topic, number) for topic in TOPICS for number in range(2)]
        committed = reader.committed(NAMES.group, places)
        consumer = other.broker.consumer(NAMES.group, Listener())
        consumer.subscribe(TOPICS)
        consumer.poll(1, 0.01)
        consumer.commit(committed, wait=True)
        consumer.close()
        return other

    def audit(self, *, deep: bool = False) -> Report:
        return report(audit(self.broker.reader(), NAMES, self.names, deep=deep))

    def names(self, org: str) -> Sequence[str]:
        return [destination.name for destination in self.routes(org)]

    def audit_until(self, is_enough: Callable[[Report], bool]) -> Report:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            document = self.audit()
            assert document.balanced, document
            if is_enough(document):
                return document
        raise AssertionError(document)


def settled() -> River:
    """A river that has come to rest: retries that got through, rejections, records of nobody, and no route."""
    river = River()
    river.sinks["crm"].plan(Busy("not now"), Each((Rejected("never"),)))
    river.sinks["log"].plan(Busy("not now"))
    river.emit("a", "b", "a", "b", "c")
    river.write(NAMES.events, None, b"garbage", 0)
    with river.worker():
        river.audit_until(lambda books: books.delivered + books.rejected >= 8 and not books.in_flight + books.retrying)
    return river


def test_books_of_a_worker_balance_all_the_time_and_equal_what_sinks_took() -> None:
    river = settled()

    books = river.audit(deep=True)

    assert (books.accepted, books.lost, books.problems) == (8, 0, [])
    assert books.destinations["log"].delivered == len(river.sinks["log"].stored) == 4
    assert books.destinations["crm"].delivered == len(river.sinks["crm"].stored)
    assert books.rejected == len(river.records(NAMES.dead))
    assert books.retried == sum(len(river.records(NAMES.retry(tier))) for tier in SCHEDULE.tiers) > 0


def test_every_single_tile_is_missed() -> None:
    river = settled()
    tiles = [record for record in river.records(NAMES.attempts) if b'"kind":"tile"' in (record.value() or b"")]

    assert len(tiles) >= 4
    for tile in tiles:
        document = attempts.decode(tile.value() or b"")
        assert isinstance(document, Tile)
        books = river.copy(without=tile).audit()
        assert books.lost > 0, document
        assert not books.balanced
        assert any(f"{document.topic}/{document.partition}: " in problem for problem in books.problems)
