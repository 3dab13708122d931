"""State belongs to one assignment of one partition: what partitions leave behind settles nothing (1, 3, 4, 8)."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headrace import app
from headrace.broker.kafka import KafkaBroker
from headrace.broker.partitioning import partition_of
from headrace.model.record import TopicPartition
from headrace.testing import broker_bench
from headrace.testing.broker_bench import Member
from headrace.testing.faults import FaultPlan, Hang, Phase, Slow, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from outsider import Record, id_of, produce, record
from river import River, Settings, until

LATE = 10.0
"""Seconds that a retry may be late on a machine that is busy."""

PARTITIONS = 2
SETTINGS: Settings = {
    "topics": {"partitions": PARTITIONS},
    "retry": {"tiers": ["1s"]},
    "routes": {"*": ["crm"]},
    "delivery": {"timeout": "11s", "drain": "2s"},
}


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        yield running


def records(org: str, partition: int, count: int) -> list[Record]:
    """Return records of *org* that all go to one partition."""
    sessions = (f"s-{number}" for number in range(1000))
    session = next(each for each in sessions if partition_of(f"{org}/{each}".encode(), PARTITIONS) == partition)
    return [record(org, session, number=number) for number in range(count)]


def passer_by(river: River) -> Member:
    """Join the workers' group as a member that takes its share of the partitions, posts nothing and commits nothing."""
    names = river.config.names
    return Member(
        KafkaBroker(river.config.kafka), names.group, names.events, *map(names.retry, river.config.retry.tiers)
    )


def visit(river: River) -> list[int]:
    """Take partitions from the worker and give them back; return which ones of the main topic those were."""
    member = passer_by(river)
    broker_bench.until(lambda: bool(member.owned), member)
    taken = [place.partition for place in member.owned if place.topic == river.config.names.events]
    member.consumer.close()
    return taken


def committed(river: River) -> dict[int, int]:
    """Return where the group stands in the main topic, partition by partition."""
    names = river.config.names
    places = [TopicPartition(names.events, partition) for partition in range(PARTITIONS)]
    with closing(app.broker(river.config).reader()) as reader:
        return {place.partition: at.offset for place, at in reader.committed(names.group, places).items()}


def started(river: River) -> subprocess.Popen[bytes]:
    """Start a worker, and return when it has partitions."""
    worker = river.start_worker()
    log = river.directory / f"worker-{len(river.workers) - 1}.log"
    until(lambda: "delivery.assigned" in log.read_text(), "the worker has partitions", 30)
    return worker


@pytest.mark.parametrize("visits", [4, pytest.param(30, marks=pytest.mark.slow)])
def test_a_commit_at_a_rebalance_covers_nothing_that_is_not_delivered(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg, visits: int
) -> None:
    """Posts end in any order, partitions go at any time, and the worker is killed at the end: all the same."""
    orgs.plan("slow", always(Slow(seconds=0.6)))
    written: set[str] = set()
    with River(tmp_path, kafka, orgs, SETTINGS) as river:
        worker = started(river)
        for _ in range(visits):
            wave = [
                *records("slow", 0, 30),
                *records("slow", 1, 30),
                *records("fast", 0, 300),
                *records("fast", 1, 300),
            ]
            produce(kafka, river.config.names.events, wave)
            written |= set(map(id_of, wave))
            visit(river)
        worker.kill()
        worker.wait()
        started(river)
        books = river.settled(events=len(written), within=90)

        assert (books.accepted, books.delivered, books.lost, books.balanced) == (len(written), len(written), 0, True)
        assert {each.id for ledger in orgs.ledgers(ids=1).values() for each in ledger.taken} == written
        assert river.stop() == [0]


def test_late_completions_settle_nothing_in_a_later_assignment(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    """A partition goes and comes back while posts are under way; they end well, or by their time-out, after that."""
    orgs.plan("late", always(Slow(seconds=9.0)))
    orgs.plan("hangs", always(Hang()))
    with River(tmp_path, kafka, orgs, SETTINGS) as river:
        started(river)
        wave = [
            each for org in ("late", "hangs") for partition in range(PARTITIONS) for each in records(org, partition, 5)
        ]
        produce(kafka, river.config.names.events, wave)
        until(lambda: all(orgs.ledger(org).requests for org in ("late", "hangs")), "posts are under way", 30)
        (moved,) = visit(river)
        under_way = river.audit()
        assert (under_way.in_flight, under_way.delivered) == (20, 0), "it came back before the posts have ended"
        for org in ("late", "hangs"):
            orgs.plan(org, always(Hang()))
        until(lambda: orgs.ledger("late").requests > 1, "the late post has ended, and its events are posted again", 30)
        until(lambda: orgs.ledger("hangs").requests > 1, "so has the one that hung", 30)
        time.sleep(1.0)

        assert committed(river).get(moved, 0) == 0, "nothing of the partition that came back is settled"
        for org in ("late", "hangs"):
            orgs.plan(org, FaultPlan())
        assert river.stop() == [0]
        started(river)
        books = river.settled(events=20, within=60)
        assert (books.delivered, books.duplicates, books.lost, books.balanced) == (20, 0, 0, True), "no second way"
        assert river.stop() == [0]


@pytest.mark.slow
def test_a_worker_that_was_taken_for_dead_rewinds_nobody(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    """It is frozen with posts under way, and thaws when another has delivered, committed and gone on (pitfall 4)."""
    orgs.plan("late", always(Slow(seconds=1.0)))
    with River(tmp_path, kafka, orgs, SETTINGS) as river:
        topic = river.config.names.events
        frozen = started(river)
        produce(kafka, topic, records("late", 0, 5) + records("late", 1, 5))
        until(lambda: orgs.ledger("late").requests > 0, "a post is under way", 30)
        frozen.send_signal(signal.SIGSTOP)
        started(river)
        produce(kafka, topic, records("late", 0, 5) + records("late", 1, 5))
        until(lambda: sum(committed(river).values()) == 20, "the other has committed all", 60)
        frozen.send_signal(signal.SIGCONT)
        until(lambda: "delivery.revoked" in (tmp_path / "worker-0.log").read_text(), "it hears that it was dead", 30)
        time.sleep(1.0)

        assert sum(committed(river).values()) == 20
        produce(kafka, topic, records("late", 0, 5) + records("late", 1, 5))
        books = river.settled(events=30, within=60)
        assert (books.accepted, books.delivered, books.lost, books.balanced) == (30, 30, 0, True)
        assert river.stop() == [0, 0]


def test_an_event_on_a_tier_is_on_time_although_its_partition_went_and_came_back(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg
) -> None:
    """The tier's partitions are paused until their heads are due: a pause must not outlive its assignment."""
    settings: Settings = {**SETTINGS, "retry": {"tiers": ["8s"]}}
    with River(tmp_path, kafka, orgs, settings) as river:
        started(river)
        orgs.keep(10)
        orgs.plan("down", FaultPlan((Phase(fault=Status(status=503), stop=3.0),)))
        produce(kafka, river.config.names.events, records("down", 0, 5) + records("down", 1, 5))
        until(lambda: river.audit().retrying == 10, "all are on the tier", 30)
        visit(river)
        assert river.audit().retrying == 10, "they came back before they were due"
        books = river.settled(events=10, within=60)

        first, *_, last = (request.at for request in orgs.requests("down"))
        assert 8.0 <= last - first < 8.0 + LATE
        assert (books.delivered, books.lost, books.balanced) == (10, 0, True)
        assert river.stop() == [0]
