"""How events leave their chunk: what is written where, and that nothing settles before it is acknowledged."""

from collections.abc import Sequence

import msgspec
import pytest

from headrace.broker.memory import MemoryBroker
from headrace.core.runs import DELIVERED, Assignment, Chunk, Run
from headrace.core.schedule import RetrySchedule
from headrace.delivery.intake import Dead
from headrace.delivery.mailer import RESEND_AFTER, Mailer
from headrace.delivery.outbox import Done, Failed, Hop
from headrace.delivery.settler import Settler
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.outcome import Delivered, Outcome, Rejected, Retryable
from headrace.model.record import Header, Origin, Record, TopicPartition
from headrace.model.topic import TopicState
from headrace.model.units import Duration
from headrace.telemetry.metrics import Metrics
from headrace.testing.clock import EPOCH, FakeClock
from headrace.wire.headers import decode
from headrace.wire.topics import TopicNames

NAMES = TopicNames()
SCHEDULE = RetrySchedule([Duration(5), Duration(30)], Duration(100))
FIRST, SECOND = map(NAMES.retry, SCHEDULE.tiers)
PARTITION = 1
LARGEST = {FIRST: 1000, SECOND: 1000, NAMES.dead: 2000}
crm = Destination(name="crm", type="memory", settings=msgspec.Struct())
HEADERS = (
    *("hr-version", "hr-destination", "hr-attempts", "hr-origin"),
    *("hr-first-failed-at", "hr-due-at", "hr-reason", "hr-error"),
)


class Polled:
    """A record as the consumer gave it."""

    def __init__(self, offset: int, value: bytes, key: bytes | None = b"acme/s") -> None:
        self._offset, self._value, self._key = offset, value, key

    def topic(self) -> str:
        return NAMES.events

    def partition(self) -> int:
        return PARTITION

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> Sequence[Header] | None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, 0)


class Desk:
    """A settler over a broker in memory, and one assignment."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.broker = MemoryBroker(self.clock)
        for name, largest in LARGEST.items():
            config = {"max.message.bytes": str(largest)}
            self.broker.admin().create(TopicState(name=name, partitions=4, replication=1, config=config))
        self.mailer = Mailer(self.broker.producer(memory=1 << 20, max_message_bytes=1 << 20), self.clock)
        self.settler = Settler(NAMES, SCHEDULE, self.mailer, self.clock, Metrics())
        self.assignment = Assignment(TopicPartition(NAMES.events, PARTITION))

    def run(self, *values: bytes, marks: list[Mark] | None = None) -> Run:
        chunk = Chunk(self.assignment, 10, 10 + len(values), len(values))
        chunk.open = len(values)
        records = [Polled(10 + place, value) for place, value in enumerate(values)]
        ids = [str(place) for place in range(len(values))]
        return Run(chunk, "acme", crm, records, ids, values, marks, sum(map(len, values)), 0.0)

    def fail(self, run: Run, *outcomes: Outcome, delay: Duration | None = None) -> None:
        self.settler.settle(Failed(run, outcomes, [1] * len(outcomes), delay, self.clock.wall()))

    def written(self, topic: str) -> list[Record]:
        reader = self.broker.reader()
        start, stop = reader.bounds(topic)[PARTITION]
        return list(reader.read(TopicPartition(topic, PARTITION), start, stop))

    def marks(self, topic: str) -> list[Mark]:
        return [decode(record.headers()) for record in self.written(topic)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def mark(**changes: object) -> Mark:
    """Return the mark of an event that was posted once, and failed when the clock started."""
    before = Mark(
        destination="crm",
        origin=Origin(NAMES.events, PARTITION, 3),
        attempts=1,
        first_failed_at=EPOCH,
        due_at=EPOCH + 5,
        reason="failed",
        error="503",
    )
    return msgspec.structs.replace(before, **changes)


def test_delivered_events_settle_at_once(desk: Desk) -> None:
    run = desk.run(b"a", b"b")
    desk.settler.settle(Done(run))

    assert run.chunk.open == 0
    assert run.chunk.fates == {("acme", "crm", DELIVERED): 2}
    assert desk.mailer.unacknowledged == 0


def test_a_failed_event_settles_only_when_its_tier_has_it(desk: Desk) -> None:
    run = desk.run(b'{"a": 1}')
    desk.fail(run, Retryable("503"))
    assert run.chunk.open == 1

    desk.mailer.work()
    assert run.chunk.open == 0
    assert run.chunk.fates == {("acme", "crm", ("tier", "5s")): 1}
    (record,) = desk.written(FIRST)
    assert (record.key(), record.value(), record.partition()) == (b"acme/s", b'{"a": 1}', PARTITION)
    assert tuple(name for name, _ in record.headers() or ()) == HEADERS
    assert desk.marks(FIRST) == [mark(origin=Origin(NAMES.events, PARTITION, 10))]


def test_each_failed_post_is_counted_and_leads_to_the_next_tier(desk: Desk) -> None:
    desk.clock.advance(7)
    desk.fail(desk.run(b"a", marks=[mark(redriven=True)]), Retryable("504"))
    desk.mailer.work()

    assert desk.written(FIRST) == []
    expected = mark(attempts=2, due_at=EPOCH + 37, error="504", redriven=True)
    assert desk.marks(SECOND) == [expected]


def test_a_hop_counts_no_attempt_and_keeps_what_the_destination_said(desk: Desk) -> None:
    desk.clock.advance(6)
    desk.settler.settle(
        Hop(desk.run(b"a", b"b", marks=[mark(), mark(attempts=0, error="")]), Duration(30), "parked", desk.clock.wall())
    )
    desk.settler.settle(Hop(desk.run(b"c"), Duration(30), "overflow", desk.clock.wall()))
    desk.mailer.work()

    posted, never, fresh = desk.marks(SECOND)
    assert posted == mark(due_at=EPOCH + 36, reason="parked")
    assert (never.attempts, never.reason, never.error) == (0, "parked", "parked")
    assert (fresh.attempts, fresh.first_failed_at, fresh.reason) == (0, EPOCH + 6, "overflow")


def test_outcomes_of_one_batch_part(desk: Desk) -> None:
    run = desk.run(b"a", b"b", b"c")
    desk.fail(run, Delivered(), Rejected("no such field"), Retryable("busy"))
    desk.mailer.work()

    assert run.chunk.open == 0
    fates = {fate for *_, fate in run.chunk.fates}
    assert fates == {DELIVERED, ("dead", "rejected"), ("tier", "5s")}
    assert [(each.reason, each.error, each.attempts) for each in desk.marks(NAMES.dead)] == [
        ("rejected", "no such field", 1)
    ]
    assert [record.value() for record in desk.written(FIRST)] == [b"c"]


@pytest.mark.parametrize(("age", "topic"), [(99.0, SECOND), (100.0, NAMES.dead)])
@pytest.mark.parametrize("is_posted", [True, False])
def test_an_event_is_given_up_when_it_has_had_its_time(desk: Desk, age: float, topic: str, *, is_posted: bool) -> None:
    """It counts from the first failure or hop, parked or not."""
    desk.clock.advance(age)
    run = desk.run(b"a", marks=[mark()])
    if is_posted:
        desk.fail(run, Retryable("503"))
    else:
        desk.settler.settle(Hop(run, Duration(30), "parked", desk.clock.wall()))
    desk.mailer.work()

    (written,) = desk.marks(topic)
    assert (written.attempts, written.first_failed_at) == (2 if is_posted else 1, EPOCH)
    assert (written.reason == "gave_up") == (topic == NAMES.dead)
    assert written.error == "503"


@pytest.mark.parametrize(("outcome", "topic"), [(Retryable("503"), FIRST), (Rejected("no"), NAMES.dead)])
def test_a_topic_that_refuses_keeps_the_event_open(desk: Desk, outcome: Outcome, topic: str) -> None:
    desk.broker.refuse(topic)
    run = desk.run(b"a")
    desk.fail(run, outcome)
    for _ in range(3):
        desk.mailer.work()
        desk.clock.advance(RESEND_AFTER)
        assert (run.chunk.open, desk.mailer.unacknowledged) == (1, 1)

    desk.broker.accept(topic)
    desk.mailer.work()
    desk.clock.advance(RESEND_AFTER)
    desk.mailer.work()
    desk.mailer.work()
    assert (run.chunk.open, desk.mailer.unacknowledged, desk.mailer.weight) == (0, 0, 0)
    assert len(desk.written(topic)) == 1


@pytest.mark.parametrize(("size", "value"), [(1500, b"x" * 1500), (2500, None)])
def test_what_a_tier_has_no_room_for_is_a_dead_letter(desk: Desk, size: int, value: bytes | None) -> None:
    """Without its value where even the dead topic has none; the origin says where it is."""
    run = desk.run(b"x" * size)
    desk.fail(run, Retryable("503"))
    for _ in range(3):
        desk.mailer.work()

    assert run.chunk.fates == {("acme", "crm", ("dead", "too_large")): 1}
    assert run.chunk.open == 0
    (record,) = desk.written(NAMES.dead)
    assert (record.key(), record.value()) == (b"acme/s", value)
    assert desk.marks(NAMES.dead)[0].origin == Origin(NAMES.events, PARTITION, 10)


def test_what_belongs_to_a_revoked_partition_settles_nothing(desk: Desk) -> None:
    late, under_way = desk.run(b"a"), desk.run(b"b")
    desk.fail(under_way, Retryable("503"))
    desk.assignment.is_revoked = True
    desk.mailer.work()
    desk.fail(late, Retryable("503"))
    desk.settler.settle(Done(late))
    desk.mailer.work()

    assert (late.chunk.open, under_way.chunk.open) == (1, 1)
    assert [record.value() for record in desk.written(FIRST)] == [b"b"]


def test_a_record_for_nobody_is_buried_with_what_is_known_of_it(desk: Desk) -> None:
    chunk = Chunk(desk.assignment, 10, 12, 2)
    chunk.open = 2
    desk.clock.advance(9)
    desk.settler.bury(chunk, Dead(Polled(10, b"?"), "-", "-", "not_cloudevent", "ü" * 600))
    desk.settler.bury(chunk, Dead(Polled(11, b"{}"), "acme", "gone", "no_destination", "gone", mark(attempts=4)))
    assert chunk.open == 2
    desk.mailer.work()

    assert chunk.fates == {
        ("-", "-", ("dead", "not_cloudevent")): 1,
        ("acme", "gone", ("dead", "no_destination")): 1,
    }
    fresh, retried = desk.marks(NAMES.dead)
    assert (fresh.origin, fresh.attempts) == (Origin(NAMES.events, PARTITION, 10), 0)
    assert (retried.destination, retried.attempts, retried.first_failed_at) == ("gone", 4, EPOCH)
    assert retried.origin == mark().origin
    errors = [dict(record.headers() or ())["hr-error"] for record in desk.written(NAMES.dead)]
    assert all(len(error) <= 512 and error.isascii() for error in errors)


def test_what_hops_while_its_destination_is_paused_is_not_given_up_and_its_time_begins_anew(desk: Desk) -> None:
    old = mark(first_failed_at=EPOCH - 1000)
    run = desk.run(b"a", marks=[old])
    desk.settler.settle(Hop(run, SCHEDULE.tiers[1], "paused", desk.clock.wall(), paused=True))
    desk.mailer.work()

    (hopped,) = desk.marks(SECOND)
    assert (hopped.first_failed_at, hopped.attempts, hopped.reason) == (desk.clock.wall(), 1, "paused")
    assert hopped.error == "503", "what the destination last answered"


def test_a_post_that_failed_while_its_destination_was_paused_is_not_given_up(desk: Desk) -> None:
    run = desk.run(b"a", marks=[mark(first_failed_at=EPOCH - 1000)])
    desk.settler.settle(Failed(run, [Retryable("503")], [1], SCHEDULE.tiers[0], desk.clock.wall(), paused=True))
    desk.mailer.work()

    (hopped,) = desk.marks(FIRST)
    assert (hopped.first_failed_at, hopped.attempts) == (EPOCH - 1000, 2)
