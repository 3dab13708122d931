"""The keeper counts each attempt and each tile once, and of the tiles those that the audit counts."""

import threading
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import pytest

from headrace.errors import BrokerError, HeadraceError, StoreError
from headrace.eventlog.graphs import Counted, CounterQuery, TotalsQuery
from headrace.eventlog.keeper import Keeper
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.retention import DAY, EXPIRE_AGAIN, EXPIRE_EVERY
from headrace.eventlog.upkeep import Expired
from headrace.model.record import TopicPartition
from headrace.testing.clock import EPOCH, FakeClock
from headrace.testing.eventlog_contract import event
from headrace.wire import attempts
from headrace.wire.attempts import Attempt, Count, Document, Redriven, RedriveNote, Tile
from headrace.wire.times import to_text
from headrace.wire.topics import TopicNames

NAMES = TopicNames("t-")
MAIN = TopicPartition(NAMES.events, 0)
AT = 1_795_428_000


class Place(msgspec.Struct, frozen=True):
    offset: int
    metadata: str = ""


class Written(msgspec.Struct, frozen=True):
    """A record of the attempts topic."""

    content: bytes

    def value(self) -> bytes:
        return self.content


class FakeRiver:
    """A river whose attempts topic has one partition."""

    def __init__(self) -> None:
        self.log: list[Written] = []
        self.start = 0
        self.commits: dict[TopicPartition, Place] = {}
        self.arrivals: list[float] = []
        """When each record of the events topic was written."""

    def write(self, *documents: Document | bytes) -> None:
        self.log += [Written(each if isinstance(each, bytes) else attempts.encode(each)) for each in documents]

    def topics(self) -> Mapping[str, int]:
        return {NAMES.events: 1, "t-headrace.retry.5s": 1, NAMES.attempts: 1, "other": 1}

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        return {0: (self.start, len(self.log)) if topic == NAMES.attempts else (0, len(self.arrivals))}

    def offsets_at(self, topic: str, at: float) -> Mapping[int, int]:
        assert topic == NAMES.events
        return {0: sum(each < at for each in self.arrivals)}

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Place]:
        assert group == NAMES.group
        assert {place.topic for place in partitions} == {NAMES.events, "t-headrace.retry.5s"}
        return dict(self.commits)

    def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Written]:
        return self.log[start:stop]


def attempt(second: float = 0, **fields: object) -> Attempt:
    usual = {"org": "acme", "destination": "crm", "at": to_text(AT + second), "ms": 20.0, "events": 10, "bytes": 900}
    return Attempt(**usual | fields)  # type: ignore[arg-type]


def tile(id_: str, previous: str | None, first: int, following: int, place: TopicPartition = MAIN) -> Tile:
    count = Count(org="acme", destination="crm", delivered=following - first - 1, tiers={"5s": 1})
    return Tile(
        id=id_,
        previous=previous,
        topic=place.topic,
        partition=place.partition,
        first=first,
        next=following,
        records=following - first,
        at=to_text(AT),
        counts=[count],
    )


@pytest.fixture
def river() -> FakeRiver:
    return FakeRiver()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> MemoryEventLog:
    return MemoryEventLog(clock)


@pytest.fixture
def keeper(store: MemoryEventLog, river: FakeRiver, clock: FakeClock) -> Keeper:
    return Keeper(store, river, NAMES, clock, retention=7 * DAY)  # type: ignore[arg-type]


def total(store: MemoryEventLog, org: str = "acme") -> dict[str, float]:
    found = store.totals(TotalsQuery(org=org))
    whole = msgspec.structs.asdict(found[0]) if found else {}
    return {name: value for name, value in whole.items() if isinstance(value, int | float) and value}


def test_attempts_are_counted_by_minute_and_once(store: MemoryEventLog, river: FakeRiver, keeper: Keeper) -> None:
    river.write(
        attempt(0, delivered=10),
        attempt(59, ms=30.0, delivered=8, rejected=2),
        b"no document",
        attempt(60, retryable=10, error="503"),
        RedriveNote(
            topic="d", partition=0, offset=1, org="acme", destination="crm", at=to_text(AT),
            records=[Redriven(org="acme", destination="crm", tier="5s")],
        ),
    )  # fmt: skip

    keeper.count()
    keeper.count()

    for org in ("acme", None):
        first, second = store.counters(CounterQuery(org=org, since=AT, until=AT + 120))
        assert (first.posts, first.posted, first.refused, first.failed, first.redriven) == (2, 20, 2, 0, 1)
        assert (first.ms, first.slowest_ms, first.bytes) == (50.0, 30.0, 1800)
        assert (second.at, second.posts, second.failed) == (AT + 60, 1, 1)
    (hour,) = store.counters(CounterQuery(org="acme", since=AT, until=AT + 3600, step=3600))
    assert hour.posts == 3


def test_a_tile_counts_once_its_offsets_are_committed(store: MemoryEventLog, river: FakeRiver, keeper: Keeper) -> None:
    river.write(tile("a", None, 0, 10), tile("b", "a", 10, 15))
    keeper.count()
    assert total(store) == {}

    river.commits[MAIN] = Place(10, "a")
    keeper.count()
    assert total(store) == {"accepted": 10, "delivered": 9, "retried": 1}

    river.commits[MAIN] = Place(15, "b")
    keeper.count()
    keeper.count()
    assert total(store) == {"accepted": 15, "delivered": 13, "retried": 2}


def test_a_tile_that_a_frozen_worker_wrote_late_counts_never(
    store: MemoryEventLog, river: FakeRiver, keeper: Keeper
) -> None:
    """Two of its tiles chain with each other; only the commit tells which branch is the river's."""
    river.write(tile("a", None, 0, 10), tile("frozen-1", "a", 10, 20), tile("frozen-2", "frozen-1", 20, 30))
    river.write(tile("b", "a", 10, 12))
    river.commits[MAIN] = Place(12, "b")

    keeper.count()
    river.write(tile("c", "b", 12, 40))
    river.commits[MAIN] = Place(40, "c")
    keeper.count()

    assert total(store) == {"accepted": 40, "delivered": 37, "retried": 3}
    river.write(tile("frozen-3", "frozen-2", 30, 35), tile("d", "c", 40, 42))
    river.commits[MAIN] = Place(42, "d")
    keeper.count()
    assert total(store) == {"accepted": 42, "delivered": 38, "retried": 4}
    assert store.waiting()[1] == []


def test_what_a_tier_settles_is_not_new_to_the_river(store: MemoryEventLog, river: FakeRiver, keeper: Keeper) -> None:
    tier = TopicPartition("t-headrace.retry.5s", 0)
    river.write(tile("t", None, 0, 4, tier))
    river.commits[tier] = Place(4, "t")

    keeper.count()

    assert total(store) == {"delivered": 3, "retried": 1}


def test_a_second_keeper_counts_nothing_twice(store: MemoryEventLog, river: FakeRiver, keeper: Keeper) -> None:
    """It read its place before the first one moved it."""
    river.write(*(attempt(n) for n in range(20)))
    stale = store.read_to(NAMES.attempts)
    keeper.count()

    keeper._read(TopicPartition(NAMES.attempts, 0), stale.get(0, 0), 0, 20)

    assert total(store)["posts"] == 20


def test_a_topic_that_was_made_anew_or_has_expired_is_read_from_its_start(
    store: MemoryEventLog, river: FakeRiver, keeper: Keeper
) -> None:
    river.write(*(attempt(n) for n in range(20)))
    river.start = 5
    keeper.count()
    assert total(store)["posts"] == 15

    river.log, river.start = river.log[:3], 0
    keeper.count()
    assert total(store)["posts"] == 18


def test_many_attempts_are_counted_in_steps(
    store: MemoryEventLog, river: FakeRiver, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.eventlog.keeper.STEP", 7)
    river.write(*(attempt(n) for n in range(50)))

    keeper.count()

    assert total(store)["posts"] == 50


def test_old_events_are_let_go_now_and_then(store: MemoryEventLog, clock: FakeClock, keeper: Keeper) -> None:
    def put(id_: str, days: float) -> None:
        store.upsert([event(id_, subject=id_, time=to_text(EPOCH - days * DAY))])

    put("old", 8.5)
    put("young", 6.5)
    keeper.expire()
    assert [each.session for each in store.sessions("acme")] == ["young"]

    put("old", 8.5)
    keeper.expire()
    assert len(store.sessions("acme")) == 2
    clock.advance(EXPIRE_EVERY)
    keeper.expire()
    assert len(store.sessions("acme")) == 1


class Refusing(MemoryEventLog):
    """Lets nothing go as long as it *refuses*, and else a portion of one event."""

    refuses = False
    calls = 0

    def expire(self, before: float) -> Expired:
        self.calls += 1
        if self.refuses:
            raise StoreError("locked")
        left = [key for key, row in sorted(self._rows.items()) if row.at < before]
        return Expired(sessions=self._drop(set(left[:1])).sessions, events=1, is_all=len(left) < 2)


def test_a_step_counts_first_and_lets_a_portion_go(river: FakeRiver, clock: FakeClock) -> None:
    """Else the graphs stand still for as long as there is much to let go."""
    store = Refusing(clock)
    keeper = Keeper(store, river, NAMES, clock, retention=7 * DAY)  # type: ignore[arg-type]
    store.upsert([event(f"{n}", subject=f"{n}", time=to_text(EPOCH - 9 * DAY)) for n in range(3)])

    for left in (2, 1, 0, 0):
        river.write(attempt())
        keeper.step()
        assert len(store.sessions("acme")) == left
    assert (total(store)["posts"], store.calls) == (4, 3)


def test_an_expiry_that_fails_is_told_until_it_succeeds_and_holds_up_no_counting(
    river: FakeRiver, clock: FakeClock
) -> None:
    store = Refusing(clock)
    store.refuses = True
    keeper = Keeper(store, river, NAMES, clock, retention=7 * DAY)  # type: ignore[arg-type]

    for _ in range(3):
        river.write(attempt())
        with pytest.raises(StoreError, match="too old was not let go: locked"):
            keeper.step()
    assert (total(store)["posts"], store.calls) == (3, 1), "it is not tried at each step"

    store.refuses = False
    clock.advance(EXPIRE_AGAIN)
    keeper.step()
    assert store.calls == 2


def test_old_events_go_while_kafka_is_away(river: FakeRiver, clock: FakeClock, store: MemoryEventLog) -> None:
    class Away(FakeRiver):
        def topics(self) -> Mapping[str, int]:
            raise BrokerError("nobody answers")

    store.upsert([event("old", time=to_text(EPOCH - 9 * DAY))])

    with pytest.raises(BrokerError):
        Keeper(store, Away(), NAMES, clock, retention=7 * DAY).step()  # type: ignore[arg-type]
    assert store.sessions("acme") == []


def test_a_failure_is_told_and_the_next_step_goes_on(store: MemoryEventLog, river: FakeRiver, clock: FakeClock) -> None:
    """Kafka or the store may be away for a while."""
    stop, heard = threading.Event(), []

    class Failing(FakeRiver):
        def topics(self) -> Mapping[str, int]:
            raise BrokerError("nobody answers")

    def failed(error: HeadraceError) -> None:
        heard.append(str(error))
        stop.set()

    Keeper(store, Failing(), NAMES, clock, retention=0).run(stop, failed)  # type: ignore[arg-type]

    assert heard == ["nobody answers"]


def test_a_store_that_fails_counts_nothing_and_the_next_try_all(river: FakeRiver, clock: FakeClock) -> None:
    class FailingOnce(MemoryEventLog):
        is_down = True

        def count(self, counted: Counted) -> bool:
            if self.is_down:
                raise StoreError("down")
            return super().count(counted)

    store = FailingOnce(clock)
    keeper = Keeper(store, river, NAMES, clock, retention=0)  # type: ignore[arg-type]
    river.write(attempt())
    with pytest.raises(StoreError):
        keeper.count()
    store.is_down = False
    keeper.count()

    assert total(store)["posts"] == 1
