"""Workers that come, go and die while posts are under way: partitions move, nothing is lost (promise 1)."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from headrace.testing.faults import FaultPlan, Hang, Phase, Slow, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from outsider import id_of, produce, record
from river import River, until

SLOW = always(Slow(seconds=0.4))
DOWN = FaultPlan((Phase(fault=Status(status=503), stop=8.0),))


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        yield running


@contextmanager
def steady(kafka: str, topic: str) -> Iterator[dict[str, set[str]]]:
    """Produce for three orgs for as long as the context lasts; what was written is in the result."""
    written: dict[str, set[str]] = {"slow": set(), "down": set(), "well": set()}
    ends = threading.Event()

    def go() -> None:
        while not ends.wait(0.1):
            records = [(org, record(org, f"s-{number}")) for org in written for number in range(10)]
            produce(kafka, topic, [each for _, each in records])
            for org, each in records:
                written[org].add(id_of(each))

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield written
    finally:
        ends.set()
        thread.join()


def taken(orgs: SimulatedOrg) -> dict[str, set[str]]:
    return {org: {each.id for each in ledger.taken} for org, ledger in orgs.ledgers(ids=1).items()}


def has_assigned(river: River, worker: int) -> bool:
    return "delivery.assigned" in (river.directory / f"worker-{worker}.log").read_text()


def children_of(parent: int) -> list[psutil.Process]:
    """Return the two workers of *parent* once they are there."""
    process = psutil.Process(parent)
    until(lambda: len(process.children()) == 2, "two workers are there", 30)
    return process.children()


def test_partitions_go_there_and_back_with_posts_under_way(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    orgs.plan("slow", SLOW)
    with River(tmp_path, kafka, orgs, {"retry": {"tiers": ["1s", "3s"]}}) as river:
        river.start_worker()
        until(lambda: has_assigned(river, 0), "the first worker has partitions", 30)
        orgs.plan("down", DOWN)
        with steady(kafka, river.config.names.events) as written:
            for number, end in enumerate((signal.SIGTERM, signal.SIGKILL, signal.SIGTERM), start=1):
                other = river.start_worker()
                until(lambda: has_assigned(river, number), "partitions come to the other", 30)  # noqa: B023
                time.sleep(1.0)
                other.send_signal(end)
                assert other.wait(30) == (0 if end == signal.SIGTERM else -signal.SIGKILL)
        events = 2 * sum(map(len, written.values()))
        books = river.settled(events=events, within=90)

        assert (books.accepted, books.lost, books.rejected, books.balanced) == (events, 0, 0, True)
        assert taken(orgs) == written
        assert river.stored() == {org: len(ids) for org, ids in written.items()}
        assert "delivery.revoked" in (tmp_path / "worker-0.log").read_text(), "the first worker gave some away"
        assert river.audit(deep=True).balanced
        assert river.stop() == [0]


def test_a_worker_that_is_told_to_stop_finishes_what_it_holds(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    orgs.plan("slow", always(Slow(seconds=1.5)))
    with River(tmp_path, kafka, orgs, {"routes": {"*": ["crm"]}, "delivery": {"drain": "4s"}}) as river:
        topic = river.config.names.events
        worker = river.start_worker()
        produce(kafka, topic, [record("slow", f"s-{number}") for number in range(50)])
        until(lambda: orgs.ledger("slow").requests > 0, "a post is under way", 30)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
        books = river.audit()
        assert (books.delivered + books.in_flight, books.balanced) == (50, True)
        assert orgs.ledger("slow").distinct == books.delivered > 0
        assert orgs.ledger("slow").duplicates == 0

        orgs.plan("hangs", always(Hang()))
        worker = river.start_worker()
        produce(kafka, topic, [record("hangs")])
        until(lambda: orgs.ledger("hangs").requests > 0, "a post hangs", 30)
        told_at = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
        took = time.monotonic() - told_at
        assert 3.0 < took < 4.0 + 2.0, f"the drain took {took:.1f} s"
        books = river.audit()
        assert (books.orgs["hangs"].in_flight, books.lost, books.balanced) == (1, 0, True)


def test_modes_and_processes_serve_everything(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    """`--only main` beside `--only retry`, then `--workers 2`, whose workers do not outlive their parent."""
    with River(tmp_path, kafka, orgs, {"retry": {"tiers": ["1s"]}, "routes": {"*": ["crm"]}}) as river:
        topic = river.config.names.events
        orgs.plan("down", FaultPlan((Phase(fault=Status(status=503), stop=5.0),)))
        river.start_worker("--only", "main")
        river.start_worker("--only", "retry")
        produce(kafka, topic, [record(org, f"s-{number}") for org in ("down", "well") for number in range(50)])
        books = river.settled(events=100, within=60)
        assert (books.delivered, books.lost, books.balanced) == (100, 0, True)
        assert books.orgs["down"].retried > 0
        assert river.stop() == [0, 0]

        parent = river.start_worker("--workers", "2")
        produce(kafka, topic, [record("well", f"s-{number}") for number in range(100)])
        books = river.settled(events=200, within=60)
        children = children_of(parent.pid)
        orgs.plan("well", SLOW)
        produce(kafka, topic, [record("well", f"s-{number}") for number in range(100)])
        parent.kill()
        gone, alive = psutil.wait_procs(children, timeout=30)
        assert (len(gone), alive) == (2, [])

        parent = river.start_worker("--workers", "2")
        books = river.settled(events=300, within=60)
        assert (books.delivered, books.lost, books.balanced) == (300, 0, True)
        assert orgs.ledger("well").distinct == 250
        children = children_of(parent.pid)
        assert river.stop() == [0], "also when the workers are still starting"
        assert not any(child.is_running() for child in children)
