"""What the watchman sees of a river, and what stands when he sees nothing."""

from collections.abc import Callable

import pytest

from headrace.broker.port import Reader
from headrace.console.chores import Chore
from headrace.console.watching.history import History, Sample
from headrace.console.watching.recent import Recent
from headrace.console.watching.river import River as Seen
from headrace.console.watching.river import see
from headrace.console.watching.watch import Watch
from headrace.console.watching.watchman import Watchman
from headrace.control.pauses import Pauses
from headrace.core.columns import Account
from headrace.core.positions import Position, Positions
from headrace.errors import BrokerError, HeadraceError
from headrace.ledger.positions import look
from headrace.model.record import TopicPartition
from headrace.testing.clock import EPOCH, FakeClock
from headrace.wire.attempts import Attempt
from headrace.wire.times import to_text
from unit.console.watched_river import attempt, close_books, watched, watchman
from unit.ledger.test_audit import NAMES, TIER, B, River, flowing


def test_the_watch_tells_books_and_lag_of_the_same_river() -> None:
    river = flowing()

    seen = watched(river).latest()

    assert seen.river is not None
    assert seen.books is not None
    assert seen.books.of(None) == river.audit()
    assert seen.books.of("b").orgs == river.audit("b").orgs
    assert seen.books.of("b").positions == {}, "offsets of all orgs are no business of one"
    assert (seen.river.events.lag, seen.river.events.parts[0].committed) == (1, 3)
    assert [topic.kind for topic in seen.river.topics] == ["events", "retry", "dead", "attempts"]
    assert [(topic.tier, topic.delay, topic.lag) for topic in seen.river.tiers] == [("5s", 5.0, 0)]


def test_what_waits_on_a_tier_is_read_with_its_reason() -> None:
    river = River()
    river.move(TIER, B)

    seen = watched(river).latest().river

    assert seen is not None
    assert seen.is_whole
    assert [(each.org, each.destination, each.session, each.attempts, each.reason) for each in seen.waiting] == [
        ("b", "crm", "s", 1, "rejected")
    ]


def test_record_without_headers_on_a_tier_waits_like_any_other() -> None:
    river = River()
    river.write(TIER, b"b/s", b"{}")

    seen = watched(river).latest().river

    assert seen is not None
    assert [each.reason for each in seen.waiting] == ["unreadable"]


def test_when_kafka_is_away_what_was_seen_last_stands() -> None:
    river, watch, clock = flowing(), Watch(), FakeClock()
    man = watchman(river, watch, clock)
    man.step()
    before = watch.latest()
    river.broker.stop()
    clock.advance(60)

    with pytest.raises(HeadraceError, match="stopped"):
        man.step()

    after = watch.latest()
    assert (after.river, after.books) == (before.river, before.books)
    assert "stopped" in after.trouble
    river.broker.start()
    clock.advance(2)
    man.step()
    assert watch.latest().trouble == ""


class Slow:
    """Closes books that take *seconds*, telling of it halfway."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self.closed_at: list[float] = []

    def __call__(self, reader: Reader, seen: Callable[[int], None]) -> tuple[Account, Positions]:
        self.closed_at.append(self._clock.monotonic())
        self._clock.advance(self._seconds / 2)
        seen(1)
        self._clock.advance(self._seconds / 2)
        return close_books(reader, lambda _: None)


def slow_watchman(seconds: float) -> tuple[Watchman, Watch, Slow, FakeClock]:
    clock, watch, river = FakeClock(), Watch(), flowing()
    slow = Slow(clock, seconds)
    pauses = Pauses(river.broker.reader, NAMES, clock)
    man = Watchman(watch, river.broker.reader, lambda reader: look(reader, NAMES), slow, pauses, NAMES, clock)
    return man, watch, slow, clock


def test_books_never_take_more_than_a_fifth_of_the_time() -> None:
    man, _, slow, clock = slow_watchman(30.0)

    for _ in range(400):
        man.step()
        clock.advance(1.0)

    spent = 30.0 * len(slow.closed_at)
    assert len(slow.closed_at) > 2
    assert spent <= 0.2 * clock.monotonic() + 30.0


def test_the_river_is_looked_at_while_books_are_closed() -> None:
    man, watch, _, _ = slow_watchman(30.0)

    man.step()

    assert [sample.at - EPOCH for sample in watch.history.between(EPOCH, EPOCH + 60, 1.0)] == [0.0, 15.0]


def test_attempts_are_read_once() -> None:
    river, watch, clock = flowing(), Watch(), FakeClock()
    man = watchman(river, watch, clock)
    attempt(river, "b", EPOCH)
    man.step()
    attempt(river, "b", EPOCH + 1)
    clock.advance(60)

    man.step()

    assert [each.at - EPOCH for each in watch.recent.latest("crm", "b")] == [1.0, 0.0]


def test_a_partition_stands_when_nobody_commits_although_something_waits() -> None:
    def positions(committed: int, end: int) -> Positions:
        return {NAMES.events: {0: Position(committed, end)}, NAMES.dead: {0: Position(None, 7)}}

    first = _river(positions(5, 9), 100.0, None)
    second = _river(positions(5, 12), 110.0, first)
    third = _river(positions(6, 12), 120.0, second)

    assert [river.events.parts[0].standing_since for river in (first, second, third)] == [None, 100.0, None]
    assert (third.events.lag, third.topics[1].lag, third.topics[1].records) == (6, None, 7)


def _river(positions: Positions, at: float, before: Seen | None) -> Seen:
    oldest = {TopicPartition(NAMES.events, 0): at - 3}
    return Seen(at=at, topics=see(positions, oldest, NAMES, at, before))


def test_lag_in_seconds_is_the_age_of_the_oldest_record_and_zero_without_any() -> None:
    waiting = _river({NAMES.events: {0: Position(5, 9)}}, 100.0, None)
    settled = _river({NAMES.events: {0: Position(9, 9)}}, 100.0, None)
    unread = Seen(at=100.0, topics=see({NAMES.events: {0: Position(5, 9)}}, {}, NAMES, 100.0, None))

    assert (waiting.lag_seconds, settled.lag_seconds, unread.lag_seconds) == (3.0, 0.0, None)


def _sample(at: float, lag: int) -> Sample:
    return Sample(at=at, lag=lag, seconds=0.0, tiers={"5s": 1})


def test_history_keeps_every_look_of_an_hour_and_the_worst_of_each_minute_for_days() -> None:
    history = History()
    for second in range(0, 7200, 10):
        history.add(_sample(second, second % 60))

    fine = history.between(3700, 7300, 10.0)
    coarse = history.between(0, 7300, 60.0)

    assert len(fine) > 340
    assert len(coarse) == 120
    assert {sample.lag for sample in coarse} == {50}


def test_history_shows_the_worst_of_each_step() -> None:
    history = History()
    for second, lag in ((0, 1), (10, 9), (20, 2), (70, 3)):
        history.add(_sample(second, lag))

    assert [(each.at, each.lag) for each in history.between(0, 100, 60.0)] == [(10, 9), (70, 3)]


def _tried(recent: Recent, at: float, *, delivered: int, **fields: object) -> None:
    usual: dict[str, object] = {"org": "b", "destination": "crm", "ms": 2.0, "events": 2, "bytes": 9}
    recent.add(Attempt(at=to_text(EPOCH + at), delivered=delivered, **usual | fields))  # type: ignore[arg-type]


def test_a_lane_fails_since_the_first_failure_after_its_last_success() -> None:
    recent = Recent()
    for at, delivered in ((0, 2), (1, 0), (2, 0), (3, 0)):
        _tried(recent, at, delivered=delivered, error="HTTP 503")

    (lane,) = recent.lanes("crm")
    assert (lane.failing_since, lane.failures, lane.delivered_at) == (EPOCH + 1, 3, EPOCH)
    _tried(recent, 4, delivered=1)
    (lane,) = recent.lanes("crm", "b")
    assert (lane.failing_since, lane.failures) == (None, 0)


def test_attempts_at_what_all_orgs_share_are_nobodys() -> None:
    recent = Recent()
    _tried(recent, 0, delivered=2, org="*", destination="log")

    assert [each.org for each in recent.latest("log", None)] == ["-"]
    assert [lane.org for lane in recent.lanes("log")] == ["-"]


def test_only_failed_attempts_are_shown_when_asked_for() -> None:
    recent = Recent()
    _tried(recent, 0, delivered=2)
    _tried(recent, 1, delivered=1)

    assert [each.at - EPOCH for each in recent.latest("crm", "b", failed=True)] == [1.0]


def test_a_chore_tells_why_it_failed_and_forgets_it_when_it_was_done_again() -> None:
    clock = FakeClock()
    errors: list[Exception] = [BrokerError("no answer"), ValueError("odd")]

    def step() -> None:
        if errors:
            raise errors.pop(0)

    chore = Chore("watch", "looks", step, 1.0, clock)
    told = []
    for _ in range(3):
        chore.do()
        told.append(chore.pulse.failure)

    assert told == ["no answer", "ValueError: odd", ""]
    assert chore.pulse.done_at == chore.pulse.failed_at == EPOCH
