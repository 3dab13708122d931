"""Lanes on the event loop: sealing, shares, parking, overflow, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec
import pytest

from headrace.core.pacing import SLOW_AFTER
from headrace.core.runs import Assignment, Chunk, Run
from headrace.core.schedule import RetrySchedule
from headrace.delivery.dispatcher import SWEEP, Dispatcher
from headrace.delivery.outbox import Done, Failed, Hop, Outbox
from headrace.delivery.settings import DeliverySettings
from headrace.model.batch import Batch
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.outcome import AllDelivered, Answer, Busy, Misconfigured
from headrace.model.pause import Pause
from headrace.model.record import Header, Origin, TopicPartition
from headrace.model.units import Duration, Size
from headrace.sinks.memory import MemorySink
from headrace.testing.clock import FakeClock, run_virtually

schedule = RetrySchedule([Duration(5), Duration(30), Duration(300)], Duration(86_400))
crm = Destination(name="crm", type="memory", settings=msgspec.Struct())
log = Destination(name="log", type="memory", settings=msgspec.Struct(), shared=True)


class HangingSink:
    """Never answers the orgs in *dead*; answers the others after *seconds*."""

    def __init__(self, dead: set[str], seconds: float = 0.01) -> None:
        self.dead = dead
        self.seconds = seconds
        self.posted: list[str] = []
        self.hanging: list[float] = []

    async def write(self, batch: Batch) -> Answer:
        self.posted.append(batch.org)
        if batch.org not in self.dead:
            await asyncio.sleep(self.seconds)
            return AllDelivered()
        started = asyncio.get_running_loop().time()
        self.hanging.append(started)
        try:
            await asyncio.sleep(10.0)
        finally:
            self.hanging.remove(started)
        return Busy("no answer in time", timed_out=True)

    async def aclose(self) -> None:
        """Nothing is held."""


class Bench:
    """A dispatcher with sinks of the test's, and what it reported."""

    def __init__(self, clock: FakeClock, sink: MemorySink | HangingSink, **settings: object) -> None:
        self.clock = clock
        self.outbox = Outbox()
        self.assignment = Assignment(TopicPartition("events", 0))
        self.dispatcher = Dispatcher(
            msgspec.structs.replace(DeliverySettings(), **settings),
            schedule,
            {"crm": sink, "log": sink},
            self.outbox,
            clock,
        )
        self._place = 0

    def run(self, org: str, events: int, *, attempts: int | None = None, destination: Destination = crm) -> Run:
        chunk = Chunk(self.assignment, self._place, self._place + events, events)
        records = [_Record(self._place + index) for index in range(events)]
        self._place += events
        ids = [f"{org}-{record.offset()}" for record in records]
        values = [b"{}" for _ in ids]
        origin = Origin("events", 0, 0)
        marks = None
        if attempts is not None:
            marks = [
                Mark(destination="crm", origin=origin, attempts=attempts, first_failed_at=0, due_at=0, reason="failed")
                for _ in ids
            ]
        return Run(chunk, org, destination, records, ids, values, marks, 2 * events, self.clock.monotonic())

    def offer(self, *runs: Run) -> None:
        self.dispatcher.offer(runs)

    def done(self) -> int:
        return sum(len(report.run) for report in self.outbox if isinstance(report, Done))

    def hops(self) -> list[Hop]:
        return [report for report in self.outbox if isinstance(report, Hop)]


class _Record:
    """A record of which the dispatcher asks only where it stands."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def topic(self) -> str:
        return "events"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return None

    def headers(self) -> Sequence[Header] | None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (0, 0)


Scenario = Callable[[Bench], Awaitable[None]]


def play(scenario: Scenario, make: Callable[[FakeClock], Bench]) -> Bench:
    """Run a scenario beside the sweeper, in virtual time."""

    async def main(clock: FakeClock) -> Bench:
        bench = make(clock)
        sweeper = asyncio.get_running_loop().create_task(bench.dispatcher.sweep())
        await scenario(bench)
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper
        await bench.dispatcher.abandon()
        assert bench.dispatcher.fault is None
        return bench

    return run_virtually(main)


def sizes(sink: MemorySink) -> list[int]:
    return [len(batch) for batch in sink.batches]


def test_a_batch_goes_when_its_oldest_event_has_waited() -> None:
    sink = MemorySink()

    async def scenario(bench: Bench) -> None:
        bench.offer(bench.run("acme", 3))
        assert sink.batches == []
        await asyncio.sleep(0.03)

    bench = play(scenario, lambda clock: Bench(clock, sink))

    assert sizes(sink) == [3]
    assert bench.done() == 3
    assert bench.dispatcher.weight == 0


def test_a_full_batch_goes_at_once_and_batches_grow_while_executors_are_busy() -> None:
    sink = MemorySink()
    sink.open.clear()

    async def scenario(bench: Bench) -> None:
        for _ in range(10):
            bench.offer(bench.run("acme", 100))
        await asyncio.sleep(0)
        sink.open.set()
        await asyncio.sleep(0.1)

    play(scenario, lambda clock: Bench(clock, sink))

    assert sizes(sink) == [500, 500]


def test_all_orgs_form_one_lane_at_a_shared_destination() -> None:
    sink = MemorySink()

    async def scenario(bench: Bench) -> None:
        bench.offer(*(bench.run(f"org{n}", 2, destination=log) for n in range(50)))
        await asyncio.sleep(0.03)

    play(scenario, lambda clock: Bench(clock, sink))

    assert sizes(sink) == [100]
    assert sink.batches[0].org == "*"


def test_a_destination_that_keeps_failing_parks_and_its_events_hop() -> None:
    sink = MemorySink(*[Busy("503")] * 3)

    async def scenario(bench: Bench) -> None:
        for _ in range(3):
            bench.offer(bench.run("acme", 1))
            await asyncio.sleep(0.03)
        bench.offer(bench.run("acme", 7))

    bench = play(scenario, lambda clock: Bench(clock, sink))

    assert sizes(sink) == [1, 1, 1]
    assert [(len(hop.run), hop.delay, hop.reason) for hop in bench.hops()] == [(7, Duration(5), "parked")]


def test_a_parked_destination_is_probed_with_one_due_batch_and_the_rest_hops() -> None:
    sink = MemorySink(Misconfigured("401"))

    async def scenario(bench: Bench) -> None:
        bench.offer(bench.run("acme", 1))
        await asyncio.sleep(0.03)
        bench.offer(bench.run("acme", 700, attempts=1), bench.run("acme", 5, attempts=1), bench.run("acme", 2))
        await asyncio.sleep(0.03)
        bench.offer(bench.run("acme", 4))
        await asyncio.sleep(0.03)

    bench = play(scenario, lambda clock: Bench(clock, sink))

    assert sizes(sink) == [1, 500, 4]
    assert [len(hop.run) for hop in bench.hops()] == [200, 5, 2]


def test_a_failed_probe_is_followed_by_half() -> None:
    sink = MemorySink(*[Misconfigured("401")] * 3)

    async def scenario(bench: Bench) -> None:
        for _ in range(4):
            bench.offer(bench.run("acme", 600, attempts=1))
            await asyncio.sleep(0.03)

    play(scenario, lambda clock: Bench(clock, sink))

    assert sizes(sink)[:4] == [500, 500, 250, 125]


def test_retry_after_moves_what_waits_to_a_tier_that_fits() -> None:
    sink = MemorySink(Busy("429", retry_after=40.0))

    async def scenario(bench: Bench) -> None:
        bench.offer(bench.run("acme", 1))
        await asyncio.sleep(0.03)
        bench.offer(bench.run("acme", 3), bench.run("acme", 2, attempts=1))
        await asyncio.sleep(41)
        bench.offer(bench.run("acme", 4))
        await asyncio.sleep(0.03)

    bench = play(scenario, lambda clock: Bench(clock, sink))

    assert sizes(sink) == [1, 4]
    assert [(len(hop.run), hop.delay) for hop in bench.hops()] == [(3, Duration(30)), (2, Duration(30))]
    failed = [report for report in bench.outbox if isinstance(report, Failed)]
    assert [report.delay for report in failed] == [Duration(30)]


def test_a_full_lane_holds_the_poll_back_and_then_overflows() -> None:
    sink = MemorySink()
    sink.open.clear()
    seen: list[bool] = []

    async def scenario(bench: Bench) -> None:
        bench.offer(bench.run("acme", 10))
        await asyncio.sleep(0.03)
        bench.offer(bench.run("acme", 20), bench.run("acme", 5))
        seen.append(bench.dispatcher.holds_back)
        await asyncio.sleep(1.2)
        seen.append(bench.dispatcher.holds_back)

    bench = play(scenario, lambda clock: Bench(clock, sink, lane_events=20, batch_events=10))

    assert seen == [True, False]
    assert [(len(hop.run), hop.delay, hop.reason) for hop in bench.hops()] == [(5, Duration(5), "overflow")]


def test_memory_that_runs_out_is_given_up_by_lanes_that_stand_still() -> None:
    sink = MemorySink()
    sink.open.clear()

    async def scenario(bench: Bench) -> None:
        bench.offer(*(bench.run(f"org{n}", 100) for n in range(40)))
        await asyncio.sleep(1.5)

    bench = play(
        scenario, lambda clock: Bench(clock, sink, memory=Size(1 << 20), posts_in_flight=4, batch_bytes=Size(1024))
    )

    assert bench.dispatcher.weight <= 1 << 20
    assert {hop.reason for hop in bench.hops()} == {"overflow"}


@pytest.mark.parametrize("dead", [1, 30])
def test_hanging_destinations_hold_a_quarter_of_the_executors_at_most(dead: int) -> None:
    names = {f"dead{n}" for n in range(dead)}
    sink = HangingSink(names)
    known_to_hang: list[int] = []

    async def scenario(bench: Bench) -> None:
        for _ in range(100):
            bench.offer(*(bench.run(org, 1) for org in [*names, "healthy"]))
            await asyncio.sleep(0.05)
            now = bench.clock.monotonic()
            known_to_hang.append(sum(now - started > SLOW_AFTER + SWEEP for started in sink.hanging))

    bench = play(scenario, lambda clock: Bench(clock, sink, posts_in_flight=16))

    assert 0 < max(known_to_hang) <= 4
    healthy = [report for report in bench.outbox if isinstance(report, Done)]
    assert sum(len(report.run) for report in healthy) >= 95


def test_lanes_that_wait_for_their_turn_give_no_memory_up() -> None:
    """A backlog of healthy orgs fills the memory; that it waits for executors is no fault of theirs."""
    sink = HangingSink(set(), seconds=0.2)

    async def scenario(bench: Bench) -> None:
        bench.offer(*(bench.run(f"org{n}", 100) for n in range(40)))
        await asyncio.sleep(6)

    bench = play(scenario, lambda clock: Bench(clock, sink, posts_in_flight=2, memory=Size(1 << 20)))

    assert bench.hops() == []
    assert bench.done() == 4000


def test_a_slow_destination_keeps_all_its_posts() -> None:
    sink = HangingSink(set(), seconds=2.0)

    async def scenario(bench: Bench) -> None:
        for _ in range(8):
            bench.offer(bench.run("slow", 500))
        await asyncio.sleep(8)

    bench = play(scenario, lambda clock: Bench(clock, sink))

    assert bench.done() == 4000


def test_a_loop_that_is_late_itself_blames_no_destination() -> None:
    """While the owner thread keeps the loop from running, answers wait unread: their posts do not hang."""
    sink = HangingSink(set(), seconds=0.3)

    async def scenario(bench: Bench) -> None:
        bench.offer(*(bench.run(f"org{n}", 10) for n in range(16)))
        await asyncio.sleep(0.05)
        bench.clock.advance(2.0)
        await asyncio.sleep(1)

    bench = play(scenario, lambda clock: Bench(clock, sink, posts_in_flight=16))

    assert bench.done() == 160


def test_draining_seals_at_once() -> None:
    sink = MemorySink()

    async def scenario(bench: Bench) -> None:
        bench.offer(bench.run("acme", 3))
        bench.dispatcher.drain()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert bench.clock.monotonic() < 0.01

    bench = play(scenario, lambda clock: Bench(clock, sink, batch_linger=Duration(60)))

    assert bench.done() == 3


def test_what_belongs_to_a_partition_that_left_is_not_posted() -> None:
    sink = MemorySink()

    async def scenario(bench: Bench) -> None:
        bench.offer(bench.run("acme", 3))
        bench.assignment.is_leaving = True
        await asyncio.sleep(0.05)

    bench = play(scenario, lambda clock: Bench(clock, sink))

    assert sink.batches == []
    assert bench.dispatcher.weight == 0


def _ids(batches: Sequence[Batch]) -> list[str]:
    return [event for batch in batches for event in batch.ids]


def test_a_probe_that_gives_its_memory_up_is_followed_by_another() -> None:
    """A probe that waits for an executor may be moved on; the destination must not stay shut for ever."""
    sink = MemorySink(Misconfigured("401"))

    async def scenario(bench: Bench) -> None:
        bench.offer(bench.run("acme", 1))
        await asyncio.sleep(0.03)
        sink.open.clear()
        bench.offer(bench.run("blocker", 500))
        bench.offer(bench.run("acme", 500, attempts=1))
        bench.offer(*(bench.run(f"org{n}", 500) for n in range(4)))
        await asyncio.sleep(1.5)
        sink.open.set()
        await asyncio.sleep(0.03)
        bench.offer(bench.run("acme", 4, attempts=1))
        await asyncio.sleep(0.03)

    play(scenario, lambda clock: Bench(clock, sink, posts_in_flight=1, memory=Size(1 << 20)))

    assert [len(batch) for batch in sink.batches if batch.org == "acme"] == [1, 4]


def test_order_within_a_lane_is_the_order_of_the_offsets() -> None:
    sink = MemorySink()

    async def scenario(bench: Bench) -> None:
        for _ in range(30):
            bench.offer(bench.run("acme", 7))
        await asyncio.sleep(0.1)

    play(scenario, lambda clock: Bench(clock, sink, posts_in_flight_per_destination=1, batch_events=10))

    assert _ids(sink.batches) == [f"acme-{place}" for place in range(210)]


def test_what_a_person_pauses_gets_no_posts_until_it_goes_on() -> None:
    sink = MemorySink()

    async def scenario(bench: Bench) -> None:
        pause = Pause(destination="crm", org="acme", at=bench.clock.wall() - 40)
        bench.offer(bench.run("acme", 1))
        bench.dispatcher.decide({pause.name: pause})
        bench.offer(bench.run("acme", 2), bench.run("ajax", 3), bench.run("acme", 4, destination=log))
        await asyncio.sleep(10)
        assert sorted(map(len, sink.batches)) == [3, 4]
        assert [(len(hop.run), hop.delay, hop.reason, hop.paused) for hop in bench.hops()] == [
            (1, 30.0, "paused", True),
            (2, 30.0, "paused", True),
        ]
        bench.dispatcher.decide({})
        bench.offer(bench.run("acme", 5, attempts=0))
        await asyncio.sleep(1)

    play(scenario, lambda clock: Bench(clock, sink))
    assert sorted(sizes(sink)) == [3, 4, 5]


def test_a_destination_paused_for_all_is_paused_for_an_org_that_comes_later() -> None:
    sink = MemorySink()

    async def scenario(bench: Bench) -> None:
        bench.dispatcher.decide({"crm": Pause(destination="crm", at=bench.clock.wall())})
        bench.offer(bench.run("acme", 1))
        await asyncio.sleep(1)

    assert [hop.reason for hop in play(scenario, lambda clock: Bench(clock, sink)).hops()] == ["paused"]
    assert not sink.batches
