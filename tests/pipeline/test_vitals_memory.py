"""What a real worker tells those who look after it, over the memory broker."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import msgspec
import pytest

from headrace.broker.memory import MemoryBroker
from headrace.clock import SystemClock
from headrace.core.schedule import RetrySchedule
from headrace.delivery.crew import Plan
from headrace.delivery.settings import DeliverySettings
from headrace.delivery.vitals import Vitals
from headrace.delivery.worker import Worker
from headrace.emitter.stamp import Stamper
from headrace.model.destination import Destination
from headrace.model.outcome import Busy, Each, Misconfigured, Rejected
from headrace.model.pause import Pause
from headrace.model.topic import TopicState
from headrace.model.units import Duration
from headrace.sinks.memory import MemorySink
from headrace.telemetry.catalogue import WORKER
from headrace.telemetry.metrics import Distribution, Metrics
from headrace.testing.clock import FakeClock
from headrace.wire.topics import TopicNames

NAMES = TopicNames()
SCHEDULE = RetrySchedule([Duration(0.05)], Duration(30))
CRM = Destination(name="crm", type="memory", settings=msgspec.Struct())


class River:
    """A memory broker, one worker, one destination that answers as planned."""

    def __init__(self, *, by_destination: bool = False) -> None:
        self.broker = MemoryBroker()
        self.sink = MemorySink()
        self.pauses: Mapping[str, Pause] = {}
        for topic in (NAMES.events, NAMES.dead, NAMES.attempts, NAMES.retry(SCHEDULE.tiers[0])):
            self.broker.admin().create(TopicState(name=topic, partitions=2, replication=1))
        self.worker = Worker(
            Plan(
                max_record_bytes=64 << 20,
                settings=DeliverySettings(),
                schedule=SCHEDULE,
                names=NAMES,
                broker=self.broker,
                routes=lambda org: [CRM],
                destinations={"crm": CRM},
                sinks={"crm": self.sink},
                clock=SystemClock(),
                pauses=lambda: self.pauses,
                by_destination=by_destination,
            )
        )

    def emit(self, org: str, events: int) -> None:
        producer, stamp = self.broker.producer(memory=1 << 20), Stamper()
        for _ in range(events):
            id_, _ = stamp()
            value = b'{"specversion":"1.0","id":"%s","source":"/orgs/%s/bots/b","type":"t"}'
            told = value % (id_.encode(), org.encode())
            producer.produce(NAMES.events, key=f"{org}/s".encode(), value=told, partition=0)
        assert producer.flush(1.0) == 0

    @contextmanager
    def working(self) -> Iterator[Vitals]:
        thread = threading.Thread(target=lambda: asyncio.run(self.worker.run()))
        thread.start()
        try:
            yield self.worker.vitals
        finally:
            self.worker.stop()
            thread.join(30)


def told(vitals: Vitals) -> Mapping[tuple[str, str], float | Distribution]:
    return {(each.metric, each.labels.get("destination", "")): each.value for each in vitals.values()}


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_at_work_is_alive_and_ready_and_tells_every_number() -> None:
    river = River()
    river.sink.plan(Busy("not now"), Each((Rejected("never"), Rejected("never"), Rejected("never"))))
    river.emit("acme", 3)
    with river.working() as vitals:
        until(lambda: told(vitals).get(("events_dead", "")) == 3)
        river.emit("acme", 2)
        until(lambda: told(vitals)["events_delivered", ""] == 2)
        health, ready, numbers = vitals.livez(), vitals.readyz(), told(vitals)

    assert health.ok, health
    assert ready.ok, ready
    assert {name for name, _ in numbers} == {metric.name for metric in WORKER}
    assert numbers["events_retried", ""] == 3
    assert (numbers["posts", ""], numbers["posts_failed", ""]) == (3, 1)
    assert numbers["partitions", ""] == 4
    assert numbers["lanes", ""] == 1
    spent = numbers["delivery_seconds", ""]
    assert isinstance(spent, Distribution)
    assert (sum(spent.counts), spent.counts[-1]) == (2, 0)
    batches = numbers["batch_events", ""]
    assert isinstance(batches, Distribution)
    assert (sum(batches.counts), batches.total) == (3, 8)


def test_destinations_are_told_apart_where_that_is_asked_for() -> None:
    river = River(by_destination=True)
    river.emit("acme", 2)
    with river.working() as vitals:
        until(lambda: told(vitals).get(("events_delivered", "crm")) == 2)
        numbers = told(vitals)

    assert numbers["lanes", "crm"] == 1
    assert ("lanes", "") not in numbers
    assert ("events_delivered", "") not in numbers


def test_lanes_are_parked_and_paused() -> None:
    river = River()
    river.sink.plan(*[Misconfigured("wrong")] * 50)
    river.emit("acme", 1)
    with river.working() as vitals:
        until(lambda: told(vitals).get(("lanes_parked", "")) == 1)
        assert told(vitals)["lanes_paused", ""] == 0
        river.pauses = {"crm": Pause(destination="crm", at=time.time())}
        until(lambda: told(vitals).get(("lanes_paused", "")) == 1)


def test_a_worker_that_drains_is_not_ready_and_one_that_is_gone_is_not_alive() -> None:
    river = River()
    river.emit("acme", 1)
    with river.working() as vitals:
        until(lambda: told(vitals).get(("events_delivered", "")) == 1)

    assert not vitals.readyz().ok
    assert not vitals.livez().checks["loop"].ok


def test_before_it_runs_a_worker_is_alive_and_not_ready() -> None:
    vitals = Vitals(Metrics(), FakeClock())

    assert (vitals.livez().ok, vitals.readyz().ok) == (True, False)
    assert {each.metric for each in vitals.values()} < {metric.name for metric in WORKER}


@pytest.mark.parametrize("part", ["turned_at", "trouble", "partitions", "answered_at"])
def test_each_check_finds_what_it_looks_for(part: str) -> None:
    river = River()
    with river.working() as vitals:
        until(lambda: vitals.readyz().ok)
        assert river.worker._crew is not None
        owner = river.worker._crew.owner
        owner.turn = lambda: time.sleep(0.01)  # type: ignore[method-assign]
        time.sleep(0.05)
        match part:
            case "turned_at":
                owner.pulse.turned_at -= 31
            case "trouble":
                owner.pulse.trouble = "nobody answers"
            case "partitions":
                owner.pulse.partitions = 0
            case "answered_at":
                assert owner.pulse.answered_at is not None
                owner.pulse.answered_at -= 61
        health = vitals.livez() if part == "turned_at" else vitals.readyz()

    assert [name for name, check in health.checks.items() if not check.ok] == [
        {"turned_at": "owner", "partitions": "partitions"}.get(part, "kafka")
    ]
