"""Reading one tier's partition: what is due in time, and what draining sessions wait for ahead of it."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from headrace.broker.memory_cluster import MemoryRecord
from headrace.broker.port import Committed
from headrace.core.offsets import Progress
from headrace.core.runs import Chunk, Run
from headrace.delivery import tier_reading
from headrace.delivery.sequence import Sequencer
from headrace.delivery.tier_reading import COMPACT_AT, NAP, TierReading
from headrace.delivery.tiers import Due, read_mark
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.record import Record, TopicPartition
from ordering import TIER, mark, tier_record

PLACE = TopicPartition(TIER, 0)
NOW = 1_764_000_000.0
DELAY = 5.0


class OnePartition:
    """As much of a consumer as a tier's partition needs."""

    def __init__(self, log: list[MemoryRecord], start: int = 0) -> None:
        self._log = log
        self.start = start
        """Where the log begins: retention deleted what was before."""
        self.at = start
        self.is_paused = False

    def poll(self, most: int, timeout: float) -> Sequence[Record]:
        self.at = max(self.at, self.start)
        records = [] if self.is_paused else self._log[self.at : self.at + most]
        self.at += len(records)
        return records

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        assert list(partitions) == [PLACE]
        self.is_paused = True

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        assert list(partitions) == [PLACE]
        self.is_paused = False

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.at = offset

    def subscribe(self, topics: Sequence[str]) -> None: ...
    def commit(self, places: Mapping[TopicPartition, Committed], *, wait: bool = False) -> None: ...
    def close(self) -> None: ...


class Desk:
    """A tier whose records are named after session and origin, and what was handed over of it."""

    def __init__(self, *due_in: tuple[str, float], drains: str = "") -> None:
        self.log: list[MemoryRecord] = []
        self.now = NOW
        self.drains = set(drains)
        for name, seconds in due_in:
            self.write(name, seconds)
        self.consumer = OnePartition(self.log)
        self.progress = Progress(PLACE, 0, None)
        self.reading = TierReading(self.progress, DELAY, Sequencer(lambda _: self.consumer.start))
        self.found: list[Due] = []

    def write(self, name: str, seconds: float) -> None:
        known = mark(int(name[1:]), attempts=0, due_at=self.now + seconds)
        self.log.append(tier_record(name, len(self.log), known))

    def turn(self, most: int = 100) -> str:
        """Poll once, and name what is handed over."""
        before = len(self.found)
        if polled := self.consumer.poll(most, 0.0):
            self.found += self.reading.read(polled, self.consumer, self.is_ready, self.now)
        return " ".join(self.name(record) for _, due in self.found[before:] for record, _ in due)

    def wait(self, seconds: float) -> None:
        """Let time pass, and do what `Cohorts.work` does with a tier."""
        self.now += seconds
        if self.reading.is_behind and not self.reading.is_ahead:
            self.reading.rest(self.consumer)
        elif self.reading.wakes_at is not None and self.reading.wakes_at <= self.now:
            self.reading.wake(self.consumer)
        if self.reading.is_ahead and self.reading.is_through(self.now):
            self.reading.rest(self.consumer)

    def put_back(self, *places: int) -> None:
        """Give back what was handed over of these offsets."""
        for chunk, due in self.found:
            kept = [(record, known) for record, known in due if record.offset() in places and known is not None]
            if kept:
                self.reading.put_back(_run(chunk, kept))

    def is_ready(self, record: Record, known: Mark | None, is_ahead: bool) -> bool:
        assert known is not None
        return known.due_at <= self.now or (is_ahead and self.name(record)[0] in self.drains)

    def name(self, record: Record) -> str:
        key, (_, known) = record.key() or b"", (record, read_mark(record))
        assert known is not None
        return f"{key.decode()[-1]}{known.origin.offset}"


def _run(chunk: Chunk, kept: Sequence[tuple[Record, Mark]]) -> Run:
    records, marks = [record for record, _ in kept], [known for _, known in kept]
    crm = Destination(name="crm", type="memory", settings=msgspec.Struct())
    values = [record.value() or b"" for record in records]
    return Run(chunk, "acme", crm, records, ["" for _ in records], values, marks, sum(map(len, values)), 0.0)


def test_a_tier_sleeps_until_its_head_is_due() -> None:
    desk = Desk(("a1", 0), ("b2", 3), ("c3", 4))

    assert desk.turn() == "a1"
    assert desk.consumer.is_paused
    assert desk.reading.wakes_at == pytest.approx(NOW + 3)
    desk.wait(3.5)
    assert desk.turn() == "b2"
    desk.wait(1)
    assert desk.turn() == "c3"
    assert desk.progress.next == 3


def test_what_is_due_but_has_to_wait_is_looked_at_again_soon() -> None:
    desk = Desk(("a1", -1))
    desk.reading.read(desk.consumer.poll(1, 0.0), desk.consumer, lambda *_: False, NOW)

    assert desk.reading.wakes_at == NOW + NAP
    desk.wait(NAP)
    assert desk.turn() == "a1"


def test_reading_ahead_takes_what_drains_and_comes_back_for_the_rest() -> None:
    desk = Desk(("a1", 2), ("b2", 3), ("a3", 4), drains="a")
    assert desk.turn() == ""
    desk.reading.read_ahead(desk.consumer, desk.now)

    assert desk.turn() == "a1 a3"
    assert not desk.progress.is_idle, "what was handed over is not settled"
    for _ in range(5):
        desk.wait(0.1)
    assert (desk.reading.is_ahead, desk.consumer.is_paused, desk.consumer.at) == (False, True, 1)
    desk.wait(3)
    assert desk.turn() == "b2"
    assert desk.turn() == ""


def test_what_is_left_is_not_settled_and_keeps_nobody_from_ending() -> None:
    desk = Desk(("a1", 2), ("b2", 3))
    desk.reading.read_ahead(desk.consumer, desk.now)
    desk.turn()

    assert desk.progress.is_idle
    assert desk.progress.next_settled() is None


def test_reading_ahead_ends_with_what_was_written_before_it_began() -> None:
    desk = Desk(("a1", 2), drains="")
    desk.reading.read_ahead(desk.consumer, desk.now)
    desk.turn()
    assert not desk.reading.is_through(desk.now)
    desk.now += 0.01
    desk.write("b2", DELAY)
    desk.turn()

    assert desk.reading.is_through(desk.now)


def test_a_worker_that_is_slow_itself_reads_ahead_all_the_same() -> None:
    """A turn longer than a silence says nothing of the log's end."""
    desk = Desk(*[(f"a{place}", 4.5) for place in range(1, 9)], ("b9", 4.5), drains="b")
    desk.reading.read_ahead(desk.consumer, desk.now)
    read = ""
    for _ in range(9):
        read += desk.turn(1)
        desk.wait(0.4)

    assert read == "b9"


def test_what_is_due_is_not_delayed_by_reading_ahead() -> None:
    desk = Desk(("a1", 2), ("b2", 3))
    desk.reading.read_ahead(desk.consumer, desk.now)
    desk.turn()
    assert not desk.reading.is_overdue(desk.now)
    desk.now += 2.5

    assert desk.reading.is_overdue(desk.now)
    desk.wait(0)
    desk.wait(0)
    assert desk.turn() == "a1"


def test_what_is_put_back_while_it_is_read_ahead_comes_when_it_is_due() -> None:
    desk = Desk(("a1", 2), ("b2", 3), drains="a")
    desk.reading.read_ahead(desk.consumer, desk.now)
    assert desk.turn() == "a1"
    desk.put_back(0)
    desk.drains.clear()
    for _ in range(5):
        desk.wait(0.1)
    desk.wait(2)

    assert desk.turn() == "a1"


def test_what_is_put_back_afterwards_comes_too() -> None:
    """The event loop says so when the tier sleeps again, at a later place."""
    desk = Desk(("a1", 2), ("b2", 8), drains="a")
    desk.reading.read_ahead(desk.consumer, desk.now)
    assert desk.turn() == "a1"
    desk.drains.clear()
    for _ in range(5):
        desk.wait(0.1)
    assert desk.reading.wakes_at == pytest.approx(NOW + 8)
    desk.put_back(0)
    desk.wait(0.1)
    desk.wait(2)

    assert desk.turn() == "a1"
    assert desk.progress.is_idle is False


def test_at_its_limit_reading_ahead_leaves_the_rest_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes back to the first that was left: that is due before what it has not read."""
    monkeypatch.setattr(tier_reading, "LEFT_MOST", 2)
    desk = Desk(("a1", 2), ("a2", 2), ("b3", 2), ("c4", 2), drains="bc")
    desk.reading.read_ahead(desk.consumer, desk.now)
    assert desk.turn() == "b3 c4"
    desk.drains.clear()
    desk.put_back(2, 3)
    desk.write("a5", 5)
    desk.turn()
    assert desk.progress.next == 4
    desk.wait(0.1)
    assert (desk.reading.is_ahead, desk.consumer.at) == (False, 0)

    desk.wait(2)
    assert desk.turn() == "a1 a2 b3 c4"


def test_what_lies_about_of_old_places_is_bounded() -> None:
    desk = Desk(("a1", 60), ("b2", 60), drains="b")
    for _ in range(COMPACT_AT + 10):
        desk.reading.read_ahead(desk.consumer, desk.now)
        assert desk.turn() == "b2"
        desk.reading.put_back(_run(desk.found[0][0], [(desk.log[1], mark(2, attempts=0, due_at=NOW + 60))]))
        desk.found[1:] = []

    assert len(desk.reading._offsets) <= COMPACT_AT + 4


def test_what_retention_took_of_what_was_left_is_noticed() -> None:
    desk = Desk(("a1", 2), ("b2", 3), ("c3", 4))
    desk.reading.read_ahead(desk.consumer, desk.now)
    desk.turn()
    desk.consumer.start = 2
    assert not desk.reading.has_lost
    for _ in range(5):
        desk.wait(0.1)
    desk.wait(5)
    desk.turn()

    assert desk.reading.has_lost


class Tier(RuleBasedStateMachine):
    """Whatever is read, put back and read ahead: each record is handed over once in the end, none early unless it
    drains, and nothing settles before it was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.written = 0
        self.kept: dict[int, int] = {}

    @rule(session=st.sampled_from("ab"), events=st.integers(1, 4))
    def write(self, session: str, events: int) -> None:
        for _ in range(events):
            self.desk.write(f"{session}{self.written}", DELAY)
            self.written += 1

    @rule(most=st.integers(1, 5))
    def poll(self, most: int) -> None:
        before = len(self.desk.found)
        self.desk.turn(most)
        for _, due in self.desk.found[before:]:
            for record, known in due:
                assert known is not None
                is_draining = chr((record.key() or b"")[-1]) in self.desk.drains
                assert known.due_at <= self.desk.now + 0.001 or is_draining, "handed over early"
                self.kept[record.offset()] = self.kept.get(record.offset(), 0) + 1
                assert self.kept[record.offset()] == 1, "handed over twice"

    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        if self.kept:
            offset = data.draw(st.sampled_from(sorted(self.kept)), "offset")
            del self.kept[offset]
            chunk = next(each for each in self.desk.progress._chunks if each.first <= offset < each.next)
            known = read_mark(self.desk.log[offset])
            assert known is not None
            self.desk.reading.put_back(_run(chunk, [(self.desk.log[offset], known)]))

    @rule(drains=st.sampled_from(("", "a", "ab")))
    def drain(self, drains: str) -> None:
        self.desk.drains = set(drains)

    @rule()
    def read_ahead(self) -> None:
        if not self.desk.reading.is_ahead and not self.desk.reading.is_overdue(self.desk.now):
            self.desk.reading.read_ahead(self.desk.consumer, self.desk.now)

    @rule(seconds=st.sampled_from((0.02, 0.3, 2.0, 5.0)))
    def wait(self, seconds: float) -> None:
        self.desk.wait(seconds)

    def teardown(self) -> None:
        self.desk.drains = set()
        for _ in range(30):
            self.desk.wait(DELAY)
            self.poll(1000)
        assert sorted(self.kept) == list(range(self.written))
        assert all(chunk.left == 0 for chunk in self.desk.progress._chunks)
        assert sum(chunk.open for chunk in self.desk.progress._chunks) == self.written


TestTier = Tier.TestCase
TestTier.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
