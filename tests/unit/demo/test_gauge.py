"""The gauge reads what waits where."""

import threading
from collections.abc import Mapping

import pytest

from headrace.broker.memory import MemoryBroker
from headrace.broker.port import Committed
from headrace.core.report import Report
from headrace.demo.gauge import Gauge, Reading, Tier, read_levels, scale, since
from headrace.errors import BrokerUnavailable
from headrace.model.record import TopicPartition
from headrace.model.topic import TopicState
from headrace.testing.broker_bench import Member, numbers, until, write
from headrace.testing.clock import FakeClock
from headrace.wire.topics import TopicNames

NAMES = TopicNames("demo.")


@pytest.fixture
def broker() -> MemoryBroker:
    made = MemoryBroker(FakeClock())
    for topic in (NAMES.events, "demo.headrace.retry.10s", "demo.headrace.retry.2s", "another.headrace.retry.1s"):
        made.admin().create(TopicState(name=topic, partitions=2, replication=1))
    return made


def commit(broker: MemoryBroker, places: Mapping[TopicPartition, int]) -> None:
    member = Member(broker, NAMES.group, *{place.topic for place in places})
    until(lambda: set(places) <= set(member.owned), member)
    member.consumer.commit({place: Committed(offset) for place, offset in places.items()}, wait=True)
    member.consumer.close()


def test_what_is_not_settled_waits(broker: MemoryBroker) -> None:
    """The shortest tier comes first, and other prefixes' topics are none of ours."""
    write(broker, NAMES.events, numbers(0, 10), 0)
    write(broker, NAMES.events, numbers(0, 5), 1)
    write(broker, "demo.headrace.retry.10s", numbers(0, 7), 1)
    write(broker, "another.headrace.retry.1s", numbers(0, 3))
    commit(broker, {TopicPartition(NAMES.events, 0): 4, TopicPartition("demo.headrace.retry.10s", 1): 5})

    reading = read_levels(broker.reader(), NAMES, 12.5)

    assert reading == Reading(
        at=12.5,
        lag=11,
        tiers=[Tier(name="2s", delay=2.0, waiting=0), Tier(name="10s", delay=10.0, waiting=2)],
        full=50,
    )


def test_what_retention_took_does_not_wait(broker: MemoryBroker) -> None:
    write(broker, NAMES.events, numbers(0, 10))
    write(broker, "demo.headrace.retry.2s", numbers(0, 10))
    commit(broker, {TopicPartition("demo.headrace.retry.2s", 0): 3})
    for topic in (NAMES.events, "demo.headrace.retry.2s"):
        broker.delete_records(TopicPartition(topic, 0), 8)

    reading = read_levels(broker.reader(), NAMES, 0.0)

    assert (reading.lag, reading.tiers[0].waiting) == (2, 2)


@pytest.mark.parametrize(
    ("most", "full"), [(0, 50), (50, 50), (51, 100), (180, 200), (201, 500), (1_000, 1_000), (1_001, 2_000)]
)
def test_columns_have_room(most: int, full: int) -> None:
    assert scale([0, most]) == full


def test_tiers_fill_and_drain() -> None:
    def reading(full: int = 50, **waiting: int) -> Reading:
        tiers = [Tier(name=name, delay=1.0, waiting=count) for name, count in waiting.items()]
        return Reading(at=0.0, lag=0, tiers=tiers, full=full)

    now = since(reading(a=5, b=5, c=5), reading(a=8, b=1, c=5, new=3))

    assert [tier.change for tier in now.tiers] == [3, -4, 0, 0]
    assert [since(reading(a=400, full=500), reading(a=count)).full for count in (60, 40)] == [500, 50]
    assert [tier.change for tier in since(None, reading(a=5)).tiers] == [0]


def test_the_gauge_goes_on_when_kafka_comes_back(broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.demo.gauge.READ_EVERY", 0.001)
    closed, read = threading.Semaphore(0), threading.Semaphore(0)
    refusals = ["no broker answers"]

    class Listening(TopicNames, frozen=True):
        @property
        def group(self) -> str:
            read.release()
            return super().group

    def close_books() -> Report:
        closed.release()
        if refusals:
            raise BrokerUnavailable(refusals.pop())
        return Report(accepted=7)

    gauge = Gauge(broker.reader, Listening("demo."), close_books)
    assert gauge.latest() is None
    broker.stop()
    with gauge:
        for _ in range(3):
            assert closed.acquire(timeout=5)
        broker.start()
        for _ in range(9):
            assert read.acquire(timeout=5)

    reading = gauge.latest()
    assert reading is not None
    assert reading.books == Report(accepted=7)
