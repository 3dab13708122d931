"""Partitions of one number are read together, after their tiers were scanned, and anew when some of them go or come."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest

from headrace.broker.port import Committed
from headrace.core.offsets import Progress
from headrace.core.runs import Chunk, Run
from headrace.core.schedule import RetrySchedule
from headrace.delivery.cohorts import AHEAD_AT_LEAST_EVERY, ASK_EVERY, Cohorts
from headrace.delivery.order import Order
from headrace.delivery.ordered_dispatcher import SILENCE, OrderedDispatcher
from headrace.delivery.outbox import Outbox
from headrace.delivery.scan import PATIENCE, read_tail
from headrace.delivery.sequence import Sequencer, make_chunk
from headrace.delivery.settings import DeliverySettings
from headrace.delivery.tiers import Due
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.record import Record, TopicPartition
from headrace.model.units import Duration
from headrace.telemetry.metrics import Metrics
from headrace.testing.clock import FakeClock
from headrace.wire.topics import TopicNames
from ordering import MAIN, TIER, mark, tier_record
from ordering_cluster import Cluster

SECOND_TIER = "headrace.retry.30s"
SCHEDULE = RetrySchedule([Duration(5), Duration(30)], Duration(86_400))
crm = Destination(name="crm", type="memory", settings=msgspec.Struct())
main, first, second = (TopicPartition(topic, 0) for topic in (MAIN, TIER, SECOND_TIER))
COHORT = [main, first, second]


class Desk:
    """The cohorts of one worker, which `turn` as its owner lets them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cluster = Cluster()
        self.order = Order(MAIN, SCHEDULE, by_org=False)
        self.outbox = Outbox()
        self.dispatcher = OrderedDispatcher(DeliverySettings(), SCHEDULE, {}, self.outbox, self.clock, self.order)
        sequence = Sequencer(lambda where: self.cluster.starts.get(where, 0))
        names = TopicNames()
        self.cohorts = Cohorts(
            main_topic=MAIN,
            destinations={"crm": crm},
            dispatcher=self.dispatcher,
            on_loop=lambda call: call(),
            bounds=self.cluster.bounds,
            sequence=sequence,
            tail_of=lambda record: read_tail(record, names, {"crm": crm}),
            delay_of=lambda topic: names.delay_of(topic) or 0.0,
            clock=self.clock,
            metrics=Metrics(),
        )
        self.cohorts.subscribed([MAIN, TIER, SECOND_TIER])
        self.sequence = sequence
        self.progresses: dict[TopicPartition, Progress] = {}
        self.found: list[Due] = []
        self.polled: list[int] = []

    def assign(self, *partitions: TopicPartition, at: Mapping[TopicPartition, int] | None = None) -> None:
        for where in partitions:
            self.progresses[where] = Progress(where, (at or {}).get(where), None)
            self.cluster.at[where] = (at or {}).get(where, 0)
        self.cohorts.assigned([self.progresses[where] for where in partitions], self.cluster)

    def hold(self, name: str, due_in: float = 5.0, where: TopicPartition = first, attempts: int = 0) -> None:
        """Let an event stand on a tier."""
        known = mark(int(name[1:]), attempts=attempts, due_at=self.clock.wall() + due_in)
        self.cluster.write(where, tier_record(name, self.cluster.end(where), known, where.topic))

    def emit(self, events: int) -> None:
        for _ in range(events):
            place = self.cluster.end(main)
            known = mark(place, attempts=0, due_at=0)
            self.cluster.write(main, tier_record("a0", place, known, MAIN))

    def turn(self, seconds: float = 0.02) -> str:
        """Work and poll once, and name what came of the tiers."""
        self.clock.advance(seconds)
        now, before = self.clock.wall(), len(self.found)
        self.cohorts.work(self.cluster, now)
        by_place: dict[TopicPartition, list[Record]] = {}
        for record in self.cluster.poll(100, 0.0):
            by_place.setdefault(TopicPartition(record.topic(), record.partition()), []).append(record)
        for where, records in sorted(by_place.items(), key=lambda each: each[0] != main):
            if not self.cohorts.takes(where):
                continue
            progress = self.progresses[where]
            if where == main:
                fresh = self.sequence.following(progress, records, self.cluster)
                self.polled += [record.offset() for record in fresh]
                if fresh:
                    make_chunk(progress, fresh)
            else:
                self.found += self.cohorts.read(progress, records, self.cluster, now)
        marks = [known for _, due in self.found[before:] for _, known in due if known is not None]
        return " ".join(f"{known.origin.offset}" for known in marks)

    def turns(self, number: int = 3) -> str:
        return " ".join(filter(None, [self.turn() for _ in range(number)]))

    def holds(self) -> list[int]:
        """Name what is known to be on tiers."""
        lane = self.dispatcher._ordered("acme", crm)
        return sorted(origin for hold in lane.holds._holds.values() for origin in hold.away)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nothing_is_read_before_the_cohort_is_complete(desk: Desk) -> None:
    desk.emit(2)
    desk.hold("a0", due_in=0)
    desk.assign(main, first)
    assert desk.turns() == ""
    assert desk.polled == []
    assert desk.cluster.paused == {main, first}

    desk.assign(second)
    assert desk.turns(4) == "0"
    assert desk.polled == [0, 1]


def test_the_main_partition_waits_until_the_tiers_are_scanned(desk: Desk) -> None:
    desk.emit(9)
    desk.hold("a3")
    desk.hold("a5", where=second)
    desk.assign(*COHORT, at={main: 7})
    desk.turn()
    assert desk.polled == []
    desk.turn()

    assert desk.holds() == [3, 5]
    desk.turns()
    assert desk.polled == [7, 8]


def test_a_scan_looks_twice_at_what_a_poll_lost(desk: Desk) -> None:
    desk.emit(9)
    desk.hold("a3")
    desk.hold("a5")
    desk.assign(*COHORT, at={main: 9})
    desk.cluster.loses.add(first)
    desk.turns()

    assert desk.holds() == [3, 5]


def test_a_scan_whose_records_retention_takes_begins_anew(desk: Desk) -> None:
    desk.emit(9)
    desk.hold("a3")
    desk.assign(*COHORT, at={main: 7})
    desk.cohorts.work(desk.cluster, desk.clock.wall())
    desk.cluster.logs[first].clear()
    desk.cluster.starts[first] = 1
    desk.turns()
    assert desk.polled == []

    desk.clock.advance(PATIENCE)
    desk.turns()
    assert desk.polled == [7, 8]


def test_empty_tiers_need_no_scan(desk: Desk) -> None:
    desk.emit(1)
    desk.assign(*COHORT)

    desk.turns(2)
    assert desk.polled == [0]


def test_a_tier_that_was_never_committed_is_read_from_its_own_beginning(desk: Desk) -> None:
    """Wherever retention has brought the main topic's."""
    desk.cluster.starts[main] = 50
    desk.emit(1)
    for place in range(40):
        desk.hold(f"a{place}", due_in=0.01)
    desk.assign(*COHORT)

    assert desk.turns(4).split() == [str(place) for place in range(40)]
    assert desk.polled == [50]


def test_a_tiers_record_waits_for_the_poll_of_the_main_topic(desk: Desk) -> None:
    """A crash set that back: what is before the record comes first."""
    desk.emit(5)
    desk.hold("a5", due_in=0)
    desk.assign(*COHORT, at={main: 3})
    assert desk.turns(20) == ""
    assert desk.polled == [3, 4]
    desk.emit(1)

    assert desk.turns(8) == "5"
    assert desk.polled == [3, 4, 5]


def test_a_record_from_before_the_main_topics_beginning_waits_for_no_poll(desk: Desk) -> None:
    desk.cluster.starts[main] = 50
    desk.hold("a5", due_in=0)
    desk.assign(*COHORT, at={main: 3})

    assert desk.turns(4) == "5"


def test_tiers_are_read_ahead_while_a_session_drains(desk: Desk) -> None:
    desk.emit(9)
    desk.hold("b2", attempts=1)
    desk.hold("a3")
    desk.hold("a5", where=second, due_in=30)
    desk.assign(*COHORT, at={main: 9})
    desk.turns()
    assert desk.found == []
    desk.dispatcher.look_around(desk.clock.monotonic())
    assert desk.dispatcher.draining == {0}

    assert sorted(desk.turns(2).split()) == ["3", "5"]
    desk.clock.advance(5)
    assert desk.turns() == "2"


def test_a_worker_that_is_slow_itself_hands_over_what_is_due_while_sessions_drain(desk: Desk) -> None:
    """It has time to read ahead in every turn, which goes back where it began."""
    desk.emit(9)
    desk.hold("b2", attempts=1)
    desk.hold("a3")
    desk.hold("c4", due_in=30)
    desk.cohorts.subscribed([MAIN, TIER])
    desk.assign(main, first, at={main: 9})
    desk.turns()
    desk.dispatcher.draining = frozenset({0})
    desk.turns(30)

    assert "2" in [desk.turn(AHEAD_AT_LEAST_EVERY + 1) for _ in range(9)]


def test_what_was_handed_over_too_early_comes_again_when_it_is_due(desk: Desk) -> None:
    desk.emit(9)
    desk.hold("a3")
    desk.assign(*COHORT, at={main: 9})
    desk.turns()
    desk.dispatcher.look_around(desk.clock.monotonic())
    assert desk.turns(2) == "3"
    desk.dispatcher.draining = frozenset()
    desk.turns(2)
    chunk, due = desk.found[0]
    desk.cohorts.put_back(_run(chunk, due))
    desk.turns(2)
    desk.clock.advance(5)

    assert desk.turns(2) == "3"


def test_what_is_put_back_of_an_earlier_assignment_is_left_alone(desk: Desk) -> None:
    desk.hold("a3")
    desk.emit(4)
    desk.assign(*COHORT, at={main: 4})
    desk.turns()
    desk.dispatcher.look_around(desk.clock.monotonic())
    desk.turns(2)
    chunk, due = desk.found[0]
    desk.cohorts.gone(COHORT)
    desk.assign(*COHORT, at={main: 4})
    desk.turns()
    desk.cohorts.put_back(_run(chunk, due))

    assert chunk.left == 0


def test_when_one_partition_goes_the_rest_of_its_cohort_begins_anew(desk: Desk) -> None:
    desk.hold("a3")
    desk.emit(4)
    desk.assign(*COHORT, at={main: 4})
    desk.turns()
    assert desk.holds() == [3]

    assert desk.cohorts.going([second]) == set(COHORT)
    desk.cohorts.gone([second])
    assert desk.holds() == []
    assert not desk.cohorts.takes(main)
    desk.assign(main, first, at={main: 4})
    desk.turns()
    assert desk.holds() == []
    desk.assign(second)
    desk.turns()
    assert desk.holds() == [3]


def test_partitions_that_are_not_read_yet_go_alone(desk: Desk) -> None:
    desk.assign(main, first)

    assert desk.cohorts.going([first]) == {first}
    desk.cohorts.gone([first])
    desk.assign(first)
    desk.assign(second)
    desk.emit(1)
    desk.turns()
    assert desk.polled == [0]


def test_a_retry_topic_that_comes_later_lets_its_cohort_begin_anew(desk: Desk) -> None:
    third = TopicPartition("headrace.retry.5m", 0)
    desk.assign(*COHORT)
    desk.turns()
    desk.cohorts.subscribed([MAIN, TIER, SECOND_TIER, third.topic])

    assert desk.cohorts.going([third]) == {*COHORT, third}


def test_what_retention_took_of_what_was_left_lets_its_cohort_begin_anew(desk: Desk) -> None:
    desk.emit(9)
    desk.hold("b2", attempts=1)
    desk.hold("a3")
    desk.hold("a4")
    desk.assign(*COHORT, at={main: 9})
    desk.turns()
    desk.dispatcher.look_around(desk.clock.monotonic())
    desk.turns(2)
    assert desk.cohorts.broken() == []
    del desk.cluster.logs[first][:2]
    desk.cluster.starts[first] = 2
    desk.clock.advance(6)
    desk.turns(4)

    assert desk.cohorts.broken() == [main]


def test_brokers_that_do_not_answer_are_asked_again_now_and_then(desk: Desk) -> None:
    desk.emit(1)
    desk.assign(*COHORT)
    desk.cluster.is_down = True
    desk.turns()
    desk.cluster.is_down = False
    desk.turns()
    assert desk.polled == []
    desk.clock.advance(ASK_EVERY)

    desk.turns(2)
    assert desk.polled == [0]


def test_after_a_silence_a_commit_has_to_show_that_the_group_knows_this_worker(desk: Desk) -> None:
    desk.assign(*COHORT, at={main: 7})
    desk.clock.advance(SILENCE / 2)
    desk.cohorts.confirm(desk.cluster)
    assert desk.cluster.commits == []
    assert desk.dispatcher.heard_at == desk.clock.monotonic()

    desk.clock.advance(SILENCE + 1)
    desk.cluster.is_down = True
    desk.cohorts.confirm(desk.cluster)
    assert desk.dispatcher.heard_at < desk.clock.monotonic()
    desk.cluster.is_down = False
    desk.cohorts.confirm(desk.cluster)
    assert desk.cluster.commits == [{main: Committed(7, "")}]
    assert desk.dispatcher.heard_at == desk.clock.monotonic()


def _run(chunk: Chunk, due: Sequence[tuple[Record, Mark | None]]) -> Run:
    records, marks = [record for record, _ in due], [known for _, known in due if known is not None]
    values = [record.value() or b"" for record in records]
    return Run(chunk, "acme", crm, records, ["" for _ in records], values, marks, sum(map(len, values)), 0.0)
