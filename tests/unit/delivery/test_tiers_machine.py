"""Tiers as the owner reads them: nothing is handed over before it is due, all of it once, and in time."""

from collections.abc import Iterable, Mapping, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headrace.broker.memory_cluster import Kept, MemoryRecord
from headrace.broker.port import Committed
from headrace.core.offsets import Progress
from headrace.core.schedule import RetrySchedule
from headrace.delivery.sequence import Sequencer
from headrace.delivery.tier_clock import TierClock
from headrace.delivery.tiers import Due
from headrace.model.mark import Mark
from headrace.model.record import Origin, Record, TopicPartition
from headrace.model.units import Duration
from headrace.testing.clock import EPOCH
from headrace.wire.headers import encode

MEMORY = 40_000
"""Little enough that partitions are paused."""

SCHEDULE = RetrySchedule([Duration(1), Duration(5), Duration(30)], Duration(120))


class Reader:
    """As much of a consumer as tiers use: a place in each log, and what is paused."""

    def __init__(self, logs: dict[TopicPartition, list[MemoryRecord]]) -> None:
        self._logs = logs
        self.places = dict.fromkeys(logs, 0)
        self.paused: set[TopicPartition] = set()

    def poll(self, most: int, timeout: float) -> Sequence[Record]:
        polled: list[Record] = []
        for where, log in self._logs.items():
            if where not in self.paused:
                records = log[self.places[where] :][:most]
                self.places[where] += len(records)
                polled += records
        return polled

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self.paused |= set(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self.paused -= set(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.places[partition] = offset

    def subscribe(self, topics: Sequence[str]) -> None: ...
    def commit(self, places: Mapping[TopicPartition, Committed], *, wait: bool = False) -> None: ...
    def close(self) -> None: ...


class Retrying(RuleBasedStateMachine):
    """Events fail, are posted or hop, and wait on their tiers; each is handed over when it is due."""

    def __init__(self) -> None:
        super().__init__()
        self.now = EPOCH
        self.places = {tier: TopicPartition(f"retry.{tier}", 0) for tier in SCHEDULE.tiers}
        self.logs: dict[TopicPartition, list[MemoryRecord]] = {place: [] for place in self.places.values()}
        self.consumer = Reader(self.logs)
        self.clock = TierClock(Sequencer(lambda _: 0), MEMORY)
        self.progresses = {place: Progress(place, 0, None) for place in self.logs}
        self.clock.assigned(self.progresses.values(), self.consumer)
        self.waiting: dict[int, float] = {}
        """When each event that is on a tier is due."""
        self.read: list[tuple[int, Mark]] = []
        self.emitted = 0
        self.dead: set[int] = set()

    def put(self, event: int, mark: Mark | None, posts: int, delay: Duration | None) -> None:
        tier = SCHEDULE.move(mark, posts, delay, self.now)
        if tier is None:
            assert mark is not None
            assert self.now - mark.first_failed_at >= SCHEDULE.give_up_after
            self.dead.add(event)
            return
        attempts = (mark.attempts if mark else 0) + posts
        assert delay is not None or tier == SCHEDULE.tiers[min(attempts, 3) - 1]
        moved = Mark(
            destination="crm",
            origin=Origin("events", 0, event),
            attempts=attempts,
            first_failed_at=mark.first_failed_at if mark else self.now,
            due_at=self.now + tier,
            reason="failed",
        )
        place = self.places[tier]
        kept = Kept(place.topic, 0, len(self.logs[place]), b"acme/s", b"{}", tuple(encode(moved)), 0)
        self.logs[place].append(MemoryRecord(kept))
        self.waiting[event] = moved.due_at

    @rule(posts=st.integers(1, 3))
    def fail_first(self, posts: int) -> None:
        self.put(self.emitted, None, posts, None)
        self.emitted += 1

    @rule(span=st.floats(0, 200))
    def hop_first(self, span: float) -> None:
        self.put(self.emitted, None, 0, SCHEDULE.within(span))
        self.emitted += 1

    @rule(posts=st.integers(0, 2), span=st.floats(0, 200))
    def fail_again(self, posts: int, span: float) -> None:
        for event, mark in self.read:
            self.put(event, mark, posts, None if posts else SCHEDULE.within(span))
        self.read.clear()

    @rule()
    def deliver(self) -> None:
        self.read.clear()

    @rule(seconds=st.sampled_from((0.01, 0.9, 1.0, 4.0, 31.0)))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(most=st.integers(1, 5), around=st.sampled_from((None, -0.2, -0.01, 0.0, 0.3)))
    def poll(self, most: int, around: float | None = None) -> None:
        """Now, or around the moment when something is due."""
        if self.waiting and around is not None:
            self.now = max(self.now, min(self.waiting.values()) + around)
        self.take(self.clock.work(self.consumer, self.now))
        by_place: dict[TopicPartition, list[Record]] = {}
        for record in self.consumer.poll(most, 0.0):
            by_place.setdefault(TopicPartition(record.topic(), record.partition()), []).append(record)
        for place, records in by_place.items():
            self.take(self.clock.read(self.progresses[place], records, self.consumer, self.now))

    def take(self, found: Sequence[Due]) -> None:
        for chunk, due in found:
            assert chunk.open - chunk.left >= len(due)
            for _, mark in due:
                assert mark is not None
                # Headers carry milliseconds.
                assert self.waiting.pop(mark.origin.offset) <= self.now + 0.001, "read before it was due"
                self.read.append((mark.origin.offset, mark))

    @invariant()
    def a_tiers_head_is_its_next_one_due(self) -> None:
        for place, log in self.logs.items():
            left = log[self.progresses[place].next or 0 :]
            times = [self.waiting[int(dict(record.headers() or ())["hr-origin"].rsplit(b"/")[-1])] for record in left]
            assert times == sorted(times)

    def teardown(self) -> None:
        """When time has passed, all that still waits is handed over."""
        self.now += 31.0
        for _ in range(2 + sum(map(len, self.logs.values()))):
            self.poll(3)
        assert not self.waiting


TestRetrying = Retrying.TestCase
TestRetrying.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
