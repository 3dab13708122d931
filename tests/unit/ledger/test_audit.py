"""The audit over a broker's topics, with books written by hand."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count as count_up

import pytest

from headrace.broker.memory import MemoryBroker
from headrace.broker.port import Committed
from headrace.core.columns import Cell
from headrace.errors import TopicMissing
from headrace.ledger.audit import audit
from headrace.ledger.report import Report, report
from headrace.model.mark import Mark
from headrace.model.record import Origin, Record, TopicPartition
from headrace.model.tile import Count, Redriven, RedriveNote, Tile
from headrace.model.topic import TopicState
from headrace.wire import attempts
from headrace.wire.headers import encode
from headrace.wire.topics import TopicNames

NAMES = TopicNames()
TIER = "headrace.retry.5s"
ROUTES: Mapping[str, Sequence[str]] = {"a": ["crm", "log"], "b": ["crm"]}
AT = "2026-11-23T10:00:00.000Z"
A: Cell = ("a", "crm")
LOG: Cell = ("a", "log")
B: Cell = ("b", "crm")


class Listener:
    """Asks nothing of a rebalance."""

    def on_assign(self, assigned: Mapping[TopicPartition, Committed | None]) -> None: ...
    def on_revoke(self, revoked: Sequence[TopicPartition]) -> None: ...
    def on_lost(self, lost: Sequence[TopicPartition]) -> None: ...


class River:
    """Topics of one partition, and what emitters and a worker would write to them."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self._make([NAMES.events, NAMES.dead, NAMES.attempts, TIER])
        self._producer = self.broker.producer(memory=1 << 20)
        self._last: dict[str, str] = {}
        self._ids = count_up()

    def _make(self, topics: Sequence[str]) -> None:
        admin = self.broker.admin()
        for topic in topics:
            admin.create(TopicState(name=topic, partitions=1, replication=1))

    def emit(self, *orgs: str) -> None:
        for org in orgs:
            self.write(NAMES.events, f"{org}/s".encode(), event(org))

    def move(
        self, topic: str, cell: Cell, origin: int = 0, value: bytes | None = None, *, reason: str = "rejected"
    ) -> None:
        mark = Mark(
            destination=cell[1],
            origin=Origin(NAMES.events, 0, origin),
            attempts=1,
            first_failed_at=0.0,
            due_at=0.0,
            reason=reason,
        )
        self.write(topic, f"{cell[0]}/s".encode(), value or event(cell[0]), encode(mark))

    def write(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        self._producer.produce(topic, key=key, value=value, headers=headers, partition=0)
        assert self._producer.flush(1.0) == 0

    def tile(self, topic: str, first: int, following: int, *counts: Count) -> str:
        tile = Tile(
            id=f"w-{next(self._ids)}",
            previous=self._last.get(topic),
            topic=topic,
            partition=0,
            first=first,
            next=following,
            records=following - first,
            at=AT,
            counts=list(counts),
        )
        self._last[topic] = tile.id
        self.write(NAMES.attempts, attempts.key(topic, 0), attempts.encode(tile))
        return tile.id

    def commit(self, topic: str, offset: int, tile: str) -> None:
        consumer = self.broker.consumer(NAMES.group, Listener())
        consumer.subscribe([topic])
        consumer.poll(1, 0.01)
        consumer.commit({TopicPartition(topic, 0): Committed(offset, tile)}, wait=True)
        consumer.close()

    def settle(self, topic: str, first: int, following: int, *counts: Count) -> None:
        self.commit(topic, following, self.tile(topic, first, following, *counts))

    def copy(self, *, leave_out: Callable[[Record], bool]) -> "River":
        """Copy all topics and commits but for some records of the attempts topic."""
        other = River()
        reader = self.broker.reader()
        for topic in reader.topics():
            for number, (start, end) in reader.bounds(topic).items():
                place = TopicPartition(topic, number)
                for record in reader.read(place, start, end):
                    if topic != NAMES.attempts or not leave_out(record):
                        other.write(topic, record.key(), record.value(), record.headers() or ())
                for committed in reader.committed(NAMES.group, [place]).values():
                    other.commit(topic, committed.offset, committed.metadata)
        return other

    def audit(self, org: str | None = None, *, deep: bool = False) -> Report:
        return report(audit(self.broker.reader(), NAMES, lambda name: ROUTES.get(name, ()), deep=deep), org)


def event(org: str, number: int = 0) -> bytes:
    return b'{"specversion":"1.0","id":"%d","source":"/orgs/%s/bots/b","type":"t"}' % (number, org.encode())


def count(cell: Cell, delivered: int = 0, tier: int = 0, dead: int = 0) -> Count:
    return Count(
        org=cell[0],
        destination=cell[1],
        delivered=delivered,
        tiers={"5s": tier} if tier else {},
        dead={"rejected": dead} if dead else {},
    )


def flowing() -> River:
    """One event delivered to two destinations, one retried and delivered, one dead, one in flight."""
    river = River()
    river.emit("a", "b", "b", "a")
    river.move(TIER, B, 1)
    river.move(NAMES.dead, B, 2)
    river.settle(NAMES.events, 0, 2, count(A, 1), count(LOG, 1), count(B, 0, 1))
    river.settle(NAMES.events, 2, 3, count(B, 0, 0, 1))
    river.settle(TIER, 0, 1, count(B, 1))
    return river


def test_empty_river_balances() -> None:
    document = River().audit()

    assert (document.accepted, document.balanced, document.orgs, document.problems) == (0, True, {}, [])


def test_columns_are_told_by_org_and_by_destination() -> None:
    document = flowing().audit()

    assert (document.accepted, document.delivered, document.rejected, document.in_flight) == (6, 3, 1, 2)
    assert (document.retried, document.retrying, document.lost, document.balanced) == (1, 0, 0, True)
    assert {name: line.accepted for name, line in document.orgs.items()} == {"a": 4, "b": 2}
    assert {name: line.accepted for name, line in document.destinations.items()} == {"crm": 4, "log": 2}


def test_org_restricts_every_column() -> None:
    document = flowing().audit("b")

    assert (document.accepted, document.delivered, document.rejected, document.in_flight) == (2, 1, 1, 0)
    assert list(document.orgs) == ["b"]


@pytest.mark.parametrize("tile", [0, 1, 2])
def test_deleting_any_one_tile_prints_lost(tile: int) -> None:
    damaged = flowing().copy(leave_out=lambda record: record.offset() == tile)

    document = damaged.audit()

    assert document.lost > 0
    assert not document.balanced
    assert document.problems


def test_late_tile_of_a_frozen_worker_enters_no_column() -> None:
    river = flowing()
    before = river.audit()

    river.tile(NAMES.events, 0, 2, count(A, 2), count(LOG, 2))

    after = river.audit()
    after.positions = before.positions
    assert after == before


def test_record_already_on_a_tier_while_its_chunk_is_open_is_a_duplicate() -> None:
    """Seen on a live river: the main chunk is not committed yet, and the retry is written."""
    river = River()
    river.emit("b")
    river.move(TIER, B)

    document = river.audit()

    assert (document.in_flight, document.retrying, document.duplicates, document.balanced) == (1, 1, 1, True)


def test_keyless_record_in_flight_counts_once_for_nobody() -> None:
    river = River()
    river.write(NAMES.events, None, event("a"))
    river.emit("c")

    document = river.audit()

    assert {name: line.in_flight for name, line in document.orgs.items()} == {"-": 1, "c": 1}
    assert {name: line.in_flight for name, line in document.destinations.items()} == {"-": 2}


def test_redriven_letter_is_rejected_no_more() -> None:
    river = flowing()
    river.move(TIER, B, 2)
    records = [Redriven(org="b", destination="crm", tier="5s")]
    note = RedriveNote(topic=NAMES.dead, partition=0, offset=0, org="b", destination="crm", at=AT, records=records)
    river.write(NAMES.attempts, attempts.key(NAMES.dead, 0), attempts.encode(note))

    document = river.audit()

    assert (document.accepted, document.rejected, document.retrying, document.balanced) == (6, 0, 1, True)


def test_document_that_cannot_be_read_is_named_and_stops_nothing() -> None:
    river = flowing()
    river.write(NAMES.attempts, b"k", b'{"kind":"tile","id":7}')

    document = river.audit()

    assert document.balanced
    assert "headrace.attempts/0: the record 3 cannot be read" in document.problems[0]


def test_missing_topic_names_the_command_that_makes_it() -> None:
    with pytest.raises(TopicMissing, match="headrace topics apply"):
        audit(MemoryBroker().reader(), NAMES, lambda _: ())


def test_deep_audit_agrees_with_a_river_that_is_well() -> None:
    plain, deep = flowing().audit(), flowing().audit(deep=True)

    assert deep.deep is not None
    assert (deep.accepted, deep.delivered, deep.lost, deep.problems) == (plain.accepted, plain.delivered, 0, [])


def test_deep_audit_finds_a_loss_behind_a_copy() -> None:
    """Two events of an org went to the tier, says the tile; the tier holds the same one twice."""
    river = River()
    river.emit("b", "b")
    river.move(TIER, B, 0)
    river.move(TIER, B, 0)
    river.settle(NAMES.events, 0, 2, count(B, 0, 2))

    assert river.audit().lost == 0
    document = river.audit(deep=True)

    assert (document.lost, document.duplicates, document.balanced) == (1, 1, False)
    assert "lost behind copies" in document.problems[0]


def test_deep_audit_counts_tiles_again() -> None:
    river = River()
    river.emit("a", "b")
    river.settle(NAMES.events, 0, 2, count(B, 2))

    document = river.audit(deep=True)

    assert (document.lost, document.balanced) == (1, False)
    assert any("there are 1 of the org a" in problem for problem in document.problems)


def test_deep_audit_names_a_record_that_was_changed_on_its_way() -> None:
    river = River()
    river.emit("b")
    river.move(TIER, B, 0, event("b", 1))
    river.settle(NAMES.events, 0, 1, count(B, 0, 1))

    assert river.audit(deep=True).problems == [
        "headrace.retry.5s/0: the record 0 is not the one at headrace.events/0/0"
    ]


def test_deep_audit_counts_events_that_were_emitted_again() -> None:
    river = River()
    river.emit("b", "b", "a")

    findings = river.audit(deep=True).deep

    assert findings
    assert (findings.records, findings.events, findings.repeated) == (3, 2, 1)
