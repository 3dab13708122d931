from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.emitter.backlog import Backlog
from headrace.emitter.carriage import Carriage
from headrace.emitter.intake import Intake
from headrace.emitter.journal import Journal
from headrace.emitter.placing import Ordering, Placing
from headrace.emitter.returns import Returns
from headrace.emitter.settings import EmitterSettings
from headrace.errors import BrokerUnavailable, RecordTooLarge


class Emitting:
    """One process's intake and carriage, without its thread: a test takes each step itself."""

    def __init__(self, directory: Path, producer: Any, ordering: Ordering = "any", room: int = 1 << 20) -> None:
        self.producer = producer
        self.journal = Journal(directory, capacity=1 << 24, segment_bytes=2000)
        self.intake = Intake("t", self.journal, room=room, most=1 << 20)
        placing = Placing(ordering)
        returns = Returns(self.intake)
        self.backlog = Backlog(self.journal, directory, lock=self.intake.lock, returns=returns, partition=placing.of)
        self.carriage = Carriage(
            topic="t",
            most=1 << 20,
            broker=producer,
            settings=EmitterSettings(),
            intake=self.intake,
            journal=self.journal,
            backlog=self.backlog,
            returns=returns,
            placing=placing,
        )
        self._now = 0.0
        self._count = 0

    def emit(self, count: int = 1) -> None:
        for _ in range(count):
            id_ = f"{self._count:08d}"
            self._count += 1
            assert self.intake.take(b"o/s", b'{"id":"%s"}' % id_.encode())

    def step(self, times: int = 1, answer: int = 0) -> None:
        for _ in range(times):
            self._now += 0.01
            self.producer.answer(min(answer, len(self.producer.held)))
            self.carriage.step(self._now)

    def drain(self) -> None:
        self.step()
        while self.carriage.stats().unacknowledged or self.backlog.busy:
            self.step(answer=len(self.producer.held))

    def values(self, count: int) -> list[bytes]:
        return [b'{"id":"%08d"}' % number for number in range(count)]


def test_events_go_to_kafka_in_the_order_of_their_emits(tmp_path: Path, producer: Any) -> None:
    river = Emitting(tmp_path, producer)
    river.emit(300)
    river.drain()

    stats = river.carriage.stats()
    assert producer.acknowledged == river.values(300)
    assert (stats.taken, stats.acknowledged, stats.unacknowledged, stats.spilled) == (300, 300, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_kafka_does_not_take_is_journaled_and_sent_later(tmp_path: Path, producer: Any) -> None:
    producer.room = 100
    river = Emitting(tmp_path, producer)
    river.emit(500)
    river.step(20)

    stats = river.carriage.stats()
    assert (stats.in_memory, stats.in_journal, stats.spilled) == (100, 400, 400)

    river.drain()
    stats = river.carriage.stats()
    assert sorted(producer.acknowledged) == river.values(500)
    assert (stats.acknowledged, stats.unacknowledged) == (500, 0)
    assert list(tmp_path.glob("*.seg")) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.sampled_from(["session", "org"]),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(1, 80)), min_size=1, max_size=15),
)
def test_under_ordering_no_event_overtakes_another(
    tmp_path_factory: Any, producer: Any, ordering: Ordering, moments: list[tuple[int, int, int]]
) -> None:
    """However much room the producer has from moment to moment, and whatever is acknowledged when."""
    producer = type(producer)()
    river = Emitting(tmp_path_factory.mktemp("journal"), producer, ordering, room=5000)
    total = 0
    for emits, answers, room in moments:
        producer.room = room
        total += emits
        river.emit(emits)
        river.step(answer=answers)
    river.drain()

    assert producer.acknowledged == river.values(total)


def test_org_ordering_journals_until_the_partitions_are_known(tmp_path: Path, producer: Any) -> None:
    producer.known_partitions = None
    river = Emitting(tmp_path, producer, "org")
    river.emit(10)
    river.step(5)
    assert producer.held == []

    producer.known_partitions = 12
    river.step(200)
    assert [sent.value for sent in producer.held] == river.values(10)
    assert len({sent.partition for sent in producer.held}) == 1


def test_a_segment_is_deleted_only_when_all_of_it_is_acknowledged(tmp_path: Path, producer: Any) -> None:
    producer.room = 0
    river = Emitting(tmp_path, producer)
    river.emit(10)
    river.step()
    [segment] = tmp_path.glob("*.seg")

    producer.room = 100
    river.step(3)
    assert len(producer.held) == 10
    river.step(answer=9)
    assert segment.exists()
    river.step(answer=1)
    assert not segment.exists()


def test_the_next_process_sends_what_the_last_one_left(tmp_path: Path, producer: Any) -> None:
    producer.room = 30
    last = Emitting(tmp_path, producer, "session", room=3000)
    last.emit(100)
    last.step()
    last.carriage.finish()
    left = last.carriage.stats()

    heir_producer = type(producer)()
    heir = Emitting(tmp_path, heir_producer, "session")
    heir.drain()

    assert (left.in_memory, left.in_journal) == (0, 100)
    assert heir_producer.acknowledged == last.values(100)
    assert heir.carriage.stats().recovered == 100
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_keeps_its_journal(tmp_path: Path, producer: Any) -> None:
    producer.room = 0
    living = Emitting(tmp_path, producer)
    living.emit(10)
    living.step()

    other_producer = type(producer)()
    other = Emitting(tmp_path, other_producer)
    other.step(5)

    assert other_producer.held == []
    assert len(list(tmp_path.glob("*.seg"))) == 1


def test_a_record_that_failed_is_journaled_and_sent_again(tmp_path: Path, producer: Any) -> None:
    """A topic that is missing, say: `topics apply` makes it, and nothing is lost meanwhile."""
    river = Emitting(tmp_path, producer)
    river.emit(10)
    river.step()
    producer.answer(10, BrokerUnavailable("gone"))
    river.drain()

    assert sorted(producer.acknowledged) == river.values(10)
    assert river.carriage.stats().acknowledged == 10


def test_a_record_that_kafka_will_never_take_is_dropped_and_counted(tmp_path: Path, producer: Any) -> None:
    river = Emitting(tmp_path, producer)
    river.emit(2)
    river.step()
    producer.answer(1, RecordTooLarge("above max.message.bytes"))
    river.drain()

    stats = river.carriage.stats()
    assert stats.dropped == {"too_large": 1}
    assert (stats.acknowledged, stats.unacknowledged) == (1, 0)


def test_damage_in_the_journal_is_counted_and_set_aside(tmp_path: Path, producer: Any) -> None:
    producer.room = 0
    last = Emitting(tmp_path, producer)
    last.emit(10)
    last.step()
    last.carriage.finish()
    [segment] = tmp_path.glob("*.seg")
    content = bytearray(segment.read_bytes())
    content[200] ^= 0xFF
    segment.write_bytes(content)

    heir_producer = type(producer)()
    heir = Emitting(tmp_path, heir_producer)
    heir.drain()

    assert len(heir_producer.acknowledged) == 9
    assert heir.carriage.stats().damaged == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".damaged"]


def test_a_segment_that_cannot_be_read_is_left_where_it_is(tmp_path: Path, producer: Any) -> None:
    (tmp_path / "abc-00010001.seg").mkdir()
    river = Emitting(tmp_path, producer)
    river.emit(1)
    river.drain()

    assert river.carriage.stats().damaged == 1
    assert (tmp_path / "abc-00010001.seg").exists()


def test_what_no_journal_takes_at_the_end_is_counted(tmp_path: Path, producer: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    river = Emitting(tmp_path / "file", producer)
    river.emit(10)
    river.step()
    river.emit(5)
    river.carriage.finish()

    stats = river.carriage.stats()
    assert stats.dropped == {"journal_failed": 15}
    assert stats.unacknowledged == 0
