"""Emitted events are counted by the minute in which they came in, however long nobody looked, and each once."""

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import StoreError
from headrace.eventlog.counting import NOWHERE, Counters
from headrace.eventlog.emitted import BACK, spread
from headrace.eventlog.graphs import COUNTED, Counted, CounterQuery, TotalsQuery
from headrace.eventlog.keeper import Keeper
from headrace.eventlog.memory import MemoryEventLog
from headrace.testing.clock import FakeClock
from unit.eventlog.test_keeper import NAMES, FakeRiver, attempt

BEGIN = 1_795_428_000 // 3600 * 3600


def per_minute(store: MemoryEventLog, since: int, until: int) -> dict[int, int]:
    """Return the minutes of which it is known what was emitted, counted from *since*."""
    found = store.counters(CounterQuery(org=None, destination=NOWHERE, since=since, until=until))
    return {(each.at - since) // 60: each.emitted for each in found}


class Scene:
    """A river, its keeper, and a clock that shows the begin of an hour."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.clock.advance(3600 - self.clock.wall() % 3600)
        self.begin = int(self.clock.wall())
        self.river = FakeRiver()
        self.store = MemoryEventLog(self.clock)
        self.keeper = Keeper(self.store, self.river, NAMES, self.clock, retention=0)  # type: ignore[arg-type]

    def emit(self, *seconds: float) -> None:
        self.river.arrivals += [self.begin + each for each in seconds]

    def known(self, hours: int = 1) -> dict[int, int]:
        return per_minute(self.store, self.begin, self.begin + 3600 * hours)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_events_are_counted_while_no_worker_settles_any(scene: Scene) -> None:
    scene.emit(1, 2)
    scene.clock.advance(5)
    scene.keeper.count()
    scene.emit(6)
    scene.clock.advance(5)
    scene.keeper.count()
    scene.emit(59, 61, 62)
    scene.clock.advance(55)
    scene.keeper.count()
    scene.keeper.count()

    assert scene.known() == {0: 4, 1: 2}
    assert scene.store.read_to(COUNTED.topic) == {0: scene.begin + 65}


def test_what_came_in_while_nobody_looked_is_told_by_the_minute(scene: Scene) -> None:
    scene.keeper.count()
    scene.emit(30, 130, 131, 3000)
    scene.clock.advance(3500)
    scene.keeper.count()

    known = scene.known()
    assert {minute: events for minute, events in known.items() if events} == {0: 1, 2: 2, 50: 1}
    assert set(known) == set(range(59)), "a quiet minute is zero, one that is not over is not known"


def test_what_lies_too_far_back_is_not_known_and_no_hour_is_known_in_part(scene: Scene) -> None:
    scene.clock.advance(BACK + 1800)
    scene.emit(100, 1860, 4000)
    scene.keeper.count()

    known = scene.known(hours=8)
    assert min(known) == 0, "the whole hour in which the time begins that is caught up with"
    assert {minute: events for minute, events in known.items() if events} == {1: 1, 31: 1, 66: 1}
    scene.clock.advance(2 * BACK)
    scene.keeper.count()
    late = per_minute(scene.store, scene.begin, int(scene.clock.wall()))
    assert BACK // 60 + 31 not in late, "nobody looked then"


def test_second_keeper_counts_no_event_twice(scene: Scene) -> None:
    other = Keeper(scene.store, scene.river, NAMES, scene.clock, retention=0)  # type: ignore[arg-type]
    for second in range(1, 10):
        scene.emit(second - 0.5)
        scene.clock.advance(1)
        scene.keeper.count()
        other.count()

    assert scene.known() == {0: 9}


def test_all_of_a_topic_that_was_made_anew_is_new(scene: Scene) -> None:
    scene.emit(*range(10))
    scene.clock.advance(10)
    scene.keeper.count()
    scene.river.arrivals.clear()
    scene.emit(70, 71)
    scene.clock.advance(65)
    scene.keeper.count()

    assert scene.known() == {0: 10, 1: 2}


def test_all_is_counted_that_is_called_so_though_another_keeper_took_some_of_it(scene: Scene) -> None:
    class Raced(MemoryEventLog):
        """A store into which another keeper counts some of it at the last moment."""

        def count(self, counted: Counted) -> bool:
            if counted.read and counted.read[1:] == (0, 3):
                assert super().count(Counted(read=(counted.read[0], 0, 1)))
            return super().count(counted)

    store = Raced(scene.clock)
    scene.river.write(*(attempt(n) for n in range(3)))
    Keeper(store, scene.river, NAMES, scene.clock, retention=0).count()  # type: ignore[arg-type]

    (total,) = store.totals(TotalsQuery(org="acme"))
    assert (total.posts, store.read_to(NAMES.attempts)) == (2, {0: 3}), "the other one has the first"
    assert store.read_to(COUNTED.topic) == {0: scene.begin}


def test_place_stays_where_it_is_when_the_store_fails_on_the_way(scene: Scene) -> None:
    class Failing(MemoryEventLog):
        def count(self, counted: Counted) -> bool:
            if counted.read:
                raise StoreError("full")
            return super().count(counted)

    store = Failing(scene.clock)
    scene.river.write(attempt())
    keeper = Keeper(store, scene.river, NAMES, scene.clock, retention=0)  # type: ignore[arg-type]

    with pytest.raises(StoreError):
        keeper.count()
    assert store.read_to(COUNTED.topic) == {}


@given(
    arrivals=st.lists(st.integers(0, 7200), max_size=50).map(sorted),
    since=st.integers(0, 3600),
    length=st.integers(0, 3600),
)
def test_spread_keeps_every_event_and_its_minute(arrivals: list[int], since: int, length: int) -> None:
    until = since + length
    before, total = bisect_left(arrivals, since), bisect_left(arrivals, until)

    found = spread(BEGIN + since, before, BEGIN + until, total, lambda at: bisect_left(arrivals, at - BEGIN))

    minutes = {each.at: each.emitted for each in found if each.step == 60}
    want = Counters()
    for at in [since, *range(since // 60 * 60 + 60, until + 1, 60)]:
        want.add_emitted(BEGIN + at, 0)
    for at in arrivals[before:total]:
        want.add_emitted(BEGIN + at, 1)
    assert minutes == {each.at: each.emitted for each in want.all() if each.step == 60}
    assert sum(minutes.values()) == total - before


def test_kafka_is_not_asked_about_quiet_minutes() -> None:
    asked: list[int] = []

    def total_at(at: int) -> int:
        asked.append(at)
        return 0 if at <= BEGIN + 3000 else 7

    spread(BEGIN, 0, BEGIN + BACK, 7, total_at)

    assert len(asked) < 10
