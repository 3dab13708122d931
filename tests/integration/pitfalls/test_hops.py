"""From tier to tier: records that do not grow, delays that do not wait, a tier that takes nothing (9, 10, 11)."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headrace import app
from headrace.model.record import Record as Polled
from headrace.model.record import TopicPartition
from headrace.model.units import Duration
from headrace.testing.faults import FaultPlan, Phase, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from integration.pitfalls.watching import worker_here
from outsider import Record, produce, record
from river import River, Settings, until

HOPS = 50
GROWTH = 100
"""Bytes that a record may grow by in so many hops."""

LATE = 10.0
"""Seconds that a retry may be late on a machine that is busy."""

MEMORY = 2 << 20
REFUSES_ALL = {"message.timestamp.type": "CreateTime", "message.timestamp.before.max.ms": "0"}
"""Settings of a topic to which every record comes from too long ago."""

TAKES_ALL = {"message.timestamp.type": "LogAppendTime", "message.timestamp.before.max.ms": str(2**63 - 1)}


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        yield running


def records(org: str, count: int, **data: object) -> list[Record]:
    return [record(org, f"s-{number % 9}", number=number, **data) for number in range(count)]


def on_tier(river: River, delay: float) -> list[Polled]:
    """Return what was ever written to one tier."""
    topic = river.config.names.retry(Duration(delay))
    with closing(app.broker(river.config).reader()) as reader:
        bounds = reader.bounds(topic)
        return [
            each
            for partition, (start, stop) in bounds.items()
            for each in reader.read(TopicPartition(topic, partition), start, stop)
        ]


def size(written: Polled) -> int:
    """Return the bytes of a record's key, value and headers."""
    headers = written.headers() or ()
    return sum(map(len, (written.key() or b"", written.value() or b""))) + sum(len(n) + len(v) for n, v in headers)


def test_a_record_is_the_same_after_fifty_hops(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    """The destination answers with a stack trace each time; neither value nor headers take that in."""
    orgs.plan("down", always(Status(status=503, body="\n".join(f"at frame {number}" for number in range(500)))))
    settings: Settings = {"topics": {"partitions": 1}, "retry": {"tiers": ["50ms"]}, "routes": {"*": ["crm"]}}
    with River(tmp_path, kafka, orgs, settings) as river:
        (emitted,) = records("down", 1, text="\N{SNOWMAN} as it was")
        produce(kafka, river.config.names.events, [emitted])
        river.start_worker()
        until(lambda: len(on_tier(river, 0.05)) >= HOPS, f"there were {HOPS} hops", 90, every=1.0)
        written = on_tier(river, 0.05)

        sizes = [size(each) for each in written]
        assert max(sizes) - min(sizes) <= GROWTH
        assert {(each.key(), each.value()) for each in written} == {emitted}
        assert len({tuple(name for name, _ in each.headers() or ()) for each in written}) == 1, "a fixed set of headers"
        orgs.plan("down", FaultPlan())
        books = river.settled(events=1, within=60)
        assert (books.delivered, books.lost, books.duplicates, books.balanced) == (1, 0, 0, True)
        assert river.stop() == [0]


def test_a_long_delay_holds_up_no_short_one(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    """Delays of a second and of half an hour, asked for in turn, in the same partitions: each has its own topic."""
    settings: Settings = {"topics": {"partitions": 1}, "retry": {"tiers": ["1s", "30m"]}, "routes": {"*": ["crm"]}}
    with River(tmp_path, kafka, orgs, settings) as river:
        topic = river.config.names.events
        orgs.plan("later", always(Status(status=429, retry_after="3600")))
        river.start_worker()
        produce(kafka, topic, records("later", 20))
        until(
            lambda: river.audit().orgs["later"].retrying == 20 if orgs.ledger("later").requests else False,
            "they wait",
            30,
        )
        orgs.keep(100)
        orgs.plan("soon", FaultPlan((Phase(fault=Status(status=429, retry_after="1"), stop=0.8),)))
        produce(kafka, topic, [*records("later", 20), *records("soon", 20), *records("well", 20)])
        until(lambda: orgs.ledger("soon").distinct == orgs.ledger("well").distinct == 20, "the others are there", 30)

        asked, *_, last = (request.at for request in orgs.requests("soon"))
        assert last - asked < 1.0 + LATE
        until(lambda: river.audit().delivered == 40, "they are in the books", 30)
        books = river.audit()
        assert (books.retrying, books.lost, books.balanced) == (40, 0, True)
        assert books.orgs["well"].retried == 0
        assert orgs.ledger("later").requests == 1, "what has to wait is not asked for"
        assert river.stop() == [0]


def test_a_tier_that_takes_nothing_costs_memory_up_to_the_cap_and_nothing_else(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg
) -> None:
    """The main topic flows until the worker holds all that it may, and goes on when the tier takes records again."""
    orgs.plan("down", always(Status(status=503)))
    settings: Settings = {"retry": {"tiers": ["1s"]}, "routes": {"*": ["crm"]}, "delivery": {"memory": MEMORY}}
    with River(tmp_path, kafka, orgs, settings) as river:
        names, admin = river.config.names, app.broker(river.config).admin()
        tier = names.retry(Duration(1))
        admin.configure(tier, REFUSES_ALL)
        with worker_here(river.config) as worker:
            produce(kafka, names.events, records("down", 300) + records("well", 300))
            until(lambda: orgs.ledger("well").distinct == 300, "the others flow", 30)
            for _ in range(10):
                produce(kafka, names.events, records("down", 1000, text="x" * 500))
            time.sleep(5.0)
            reading = worker.metrics.read()
            assert reading.counters["records_polled"] < 10_000, "the poll is held back"
            assert reading.peaks["held_bytes"] < 3 * MEMORY
            books = river.audit()
            assert (books.orgs["down"].delivered, books.retrying, books.lost) == (0, 0, 0)

            admin.configure(tier, TAKES_ALL)
            orgs.plan("down", FaultPlan())
            books = river.settled(events=10_600, within=90)
        assert (books.accepted, books.delivered, books.lost, books.balanced) == (10_600, 10_600, 0, True)
        assert orgs.ledger("down").distinct == 10_300
