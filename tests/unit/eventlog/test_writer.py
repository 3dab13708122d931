"""The thread that writes: what waits shares a transaction, and everybody hears what became of theirs."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence

import msgspec
import pytest

from headrace.errors import StoreError
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.port import Upserted
from headrace.eventlog.sink import EventLogSink
from headrace.eventlog.writer import MOST, Writer
from headrace.model.batch import Batch
from headrace.model.destination import Destination
from headrace.model.outcome import AllDelivered, Answer, Busy, Delivered, Each, Rejected
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import event


class NoSettings(msgspec.Struct, frozen=True):
    pass


class GatedEventLog(MemoryEventLog):
    """Begins a transaction only when its gate is open."""

    def __init__(self) -> None:
        super().__init__(FakeClock())
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.sizes: list[int] = []
        self.error: Exception | None = None
        self.is_closed = False

    def upsert(self, values: Sequence[bytes], orgs: Sequence[str] = ()) -> Upserted:
        self.sizes.append(len(values))
        self.begun.set()
        assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        return super().upsert(values, orgs)

    def close(self) -> None:
        self.is_closed = True


def batch(*values: bytes) -> Batch:
    destination = Destination(name="log", type="eventlog", settings=NoSettings())
    return Batch(destination=destination, org="*", ids=["?"] * len(values), values=values, orgs=["acme"] * len(values))


def run(scenario: Callable[[EventLogSink, GatedEventLog], Coroutine[None, None, None]]) -> GatedEventLog:
    log = GatedEventLog()

    async def main() -> None:
        sink = EventLogSink(log, timeout=10.0)
        await scenario(sink, log)
        log.gate.set()
        await sink.aclose()

    asyncio.run(main())
    assert log.is_closed
    return log


async def under_way(sink: EventLogSink, log: GatedEventLog, *values: bytes) -> asyncio.Task[Answer]:
    """Begin a transaction that is held at the gate."""
    writing = asyncio.create_task(sink.write(batch(*values)))
    await asyncio.to_thread(log.begun.wait)
    return writing


def test_batches_that_wait_share_one_transaction() -> None:
    async def scenario(sink: EventLogSink, log: GatedEventLog) -> None:
        first = await under_way(sink, log, event("1"))
        others = [asyncio.create_task(sink.write(batch(event(f"{n}"), event(f"{n}a")))) for n in (2, 3, 4)]
        await asyncio.sleep(0)
        log.gate.set()

        assert await asyncio.gather(first, *others) == [AllDelivered()] * 4

    assert run(scenario).sizes == [1, 6]


def test_a_transaction_does_not_grow_beyond_its_measure() -> None:
    async def scenario(sink: EventLogSink, log: GatedEventLog) -> None:
        first = await under_way(sink, log, event("1"))
        many = [event(f"{n}") for n in range(MOST // 2)]
        others = [asyncio.create_task(sink.write(batch(*many))) for _ in range(3)]
        await asyncio.sleep(0)
        log.gate.set()
        await asyncio.gather(first, *others)

    assert run(scenario).sizes == [1, MOST, MOST // 2]


def test_a_bad_event_is_rejected_in_the_batch_that_brought_it() -> None:
    async def scenario(sink: EventLogSink, log: GatedEventLog) -> None:
        first = await under_way(sink, log, event("1"))
        good = asyncio.create_task(sink.write(batch(event("2"), event("3"))))
        bad = asyncio.create_task(sink.write(batch(event("4"), b"no event", event("5"))))
        await asyncio.sleep(0)
        log.gate.set()

        assert (await first, await good) == (AllDelivered(), AllDelivered())
        answer = await bad
        assert isinstance(answer, Each)
        before, between, after = answer.outcomes
        assert (before, after) == (Delivered(), Delivered())
        assert isinstance(between, Rejected)

    run(scenario)


def test_a_store_that_fails_makes_all_that_waited_busy_and_is_asked_again() -> None:
    async def scenario(sink: EventLogSink, log: GatedEventLog) -> None:
        log.error = StoreError("the disk is full")
        first = await under_way(sink, log, event("1"))
        log.gate.set()
        assert await first == Busy("the disk is full")

        log.error = None
        assert await sink.write(batch(event("1"))) == AllDelivered()

    run(scenario)


def test_a_bug_in_the_store_reaches_the_caller_and_does_not_end_the_thread() -> None:
    async def scenario(sink: EventLogSink, log: GatedEventLog) -> None:
        log.error = ZeroDivisionError()
        first = await under_way(sink, log, event("1"))
        log.gate.set()
        with pytest.raises(ZeroDivisionError):
            await first

        log.error = None
        assert await sink.write(batch(event("1"))) == AllDelivered()

    run(scenario)


def test_what_nobody_waits_for_any_more_is_not_written_nor_kept() -> None:
    async def scenario(sink: EventLogSink, log: GatedEventLog) -> None:
        first = await under_way(sink, log, event("1"))
        abandoned = asyncio.create_task(sink.write(batch(event("2"))))
        await asyncio.sleep(0)
        abandoned.cancel()
        await asyncio.gather(abandoned, return_exceptions=True)
        assert sink._writer._waiting == []
        log.gate.set()
        await first

    assert run(scenario).sizes == [1]


def test_a_store_that_does_not_answer_in_time_is_busy_and_said_to_hang() -> None:
    async def main() -> None:
        log = GatedEventLog()
        sink = EventLogSink(log, timeout=0.01)

        answer = await sink.write(batch(event("1")))

        assert isinstance(answer, Busy)
        assert answer.timed_out
        log.gate.set()
        await sink.aclose()

    asyncio.run(main())


def test_closing_writes_what_waits_and_refuses_what_comes_later() -> None:
    log = GatedEventLog()
    log.gate.set()
    writer = Writer(log)
    job = writer.submit([event("1")], ["acme"])

    writer.close(timeout=10)
    writer.close(timeout=10)

    assert job.done.result(0) == {}
    assert log.is_closed
    with pytest.raises(StoreError):
        writer.submit([event("2")], ["acme"])


def test_batches_with_and_without_orgs_do_not_mix_them_up() -> None:
    log = GatedEventLog()
    writer = Writer(log)
    foreign = event("3", source="urn:x")
    jobs = [writer.submit([event("1")], ["globex"])]
    assert log.begun.wait(10)
    jobs += [writer.submit([event("2")], ()), writer.submit([foreign], ["initech"])]
    log.gate.set()

    for job in jobs:
        job.done.result(10)
    writer.close(timeout=10)
    assert [log.sessions(org)[0].events for org in ("globex", "acme", "initech")] == [1, 1, 1]
