"""An event log that is down, slow or full: every other destination goes on, and what waits for it comes in later."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import psycopg
import pytest

import postgres_server
from chaos.disk import Disk
from headrace.testing.simulated_org import SimulatedOrg
from postgres_server import Server
from river import River, Settings, until
from talking import Talking

ORGS = ("acme", "globex")
DURING = 3.0
"""Seconds of traffic while the event log is away, at least."""

AT_ITS_PACE = 2.0
"""Seconds from emit to arrival that nobody else may need meanwhile; a retry would come after the last tier's two."""

ROOM = 64 << 20
"""Bytes of the disk that is filled."""

Outage = Callable[[River], AbstractContextManager[None]]


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg(process=True) as running:
        yield running


@pytest.fixture
def postgres() -> Iterator[Server]:
    """Run a PostgreSQL that is this test's to hurt, and that keeps what it has acknowledged when it is."""
    with postgres_server.server("synchronous_commit=on") as running:
        yield running


def settings(url: str) -> Settings:
    return {"eventlog": {"url": url}, "retry": {"tiers": ["1s", "2s"]}, "delivery": {"timeout": "2s"}}


def check_an_outage(river: River, outage: Outage) -> None:
    """Let bots talk before, during and after *outage*, and hold books, servers and event log against what they said."""
    orgs = river.orgs
    river.start_worker()
    with Talking(river.config, ORGS) as bots:
        until(lambda: len(orgs.ledgers()) == len(ORGS), "the worker delivers", 30)
        until(lambda: river.audit().destinations["log"].delivered > 0, "the event log takes events", 10)
        with outage(river):
            away = time.time()
            until(lambda: river.audit().destinations["log"].retrying > 100, "events wait on the tiers", 20)
            time.sleep(max(0.0, away + DURING - time.time()))
            said = dict(bots.emitted)
            until(
                lambda: all(orgs.ledger(org).distinct >= said[org] for org in ORGS),
                "the others have all of it, with the event log still away",
                10,
            )
            back = time.time()
    total = bots.emitted.total()

    books = river.settled(events=2 * total, within=30)
    assert (books.accepted, books.lost, books.rejected, books.balanced) == (2 * total, 0, 0, True)
    assert books.destinations["crm"].retried == 0
    assert books.destinations["log"].retried > 100
    assert {org: orgs.ledger(org).distinct for org in ORGS} == bots.emitted
    assert river.stored() == bots.emitted
    meanwhile = orgs.ledgers(since=away, until=back)
    assert max(meanwhile[org].latency.p99 for org in ORGS) < AT_ITS_PACE
    assert river.stop() == [0]


def test_a_locked_file_holds_nobody_else_up(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    """Another program keeps SQLite's write lock, so that every post to the event log runs into its time limit."""

    @contextmanager
    def locked(river: River) -> Iterator[None]:
        with closing(sqlite3.connect(river.config.eventlog.path(), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    with River(tmp_path, kafka, orgs, settings("sqlite:///eventlog.db")) as river:
        check_an_outage(river, locked)


def test_a_full_disk_holds_nobody_else_up(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    disk = Disk(tmp_path / "disk", ROOM)
    disk.mount()
    try:
        if not disk.is_mounted:
            pytest.skip("only root may mount a disk that is small enough to be filled")

        @contextmanager
        def full(_: River) -> Iterator[None]:
            disk.fill()
            yield
            disk.empty()

        with River(tmp_path, kafka, orgs, settings("sqlite:///disk/eventlog.db")) as river:
            check_an_outage(river, full)
    finally:
        disk.unmount()


def test_a_postgres_that_is_down_holds_nobody_else_up(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg, postgres: Server
) -> None:
    @contextmanager
    def down(_: River) -> Iterator[None]:
        postgres.stop()
        yield
        postgres.start()

    with River(tmp_path, kafka, orgs, settings(postgres.url)) as river:
        check_an_outage(river, down)


def test_a_postgres_that_hangs_holds_nobody_else_up(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg, postgres: Server
) -> None:
    """Somebody holds a lock on a table, so that transactions wait."""

    @contextmanager
    def locked(_: River) -> Iterator[None]:
        with psycopg.connect(postgres.url) as other:
            other.execute("LOCK TABLE headrace.session IN ACCESS EXCLUSIVE MODE")
            yield
            other.rollback()

    with River(tmp_path, kafka, orgs, settings(postgres.url)) as river:
        check_an_outage(river, locked)


def test_a_postgres_that_refuses_writes_holds_nobody_else_up(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg, postgres: Server
) -> None:
    """As a standby does, or a server that protects a disk that is nearly full."""

    def let_write(*, may: bool) -> None:
        with psycopg.connect(postgres.url, autocommit=True, options="-c default_transaction_read_only=off") as admin:
            admin.execute(f"ALTER DATABASE postgres SET default_transaction_read_only = {'off' if may else 'on'}")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'headrace'")

    @contextmanager
    def refusing(_: River) -> Iterator[None]:
        let_write(may=False)
        yield
        let_write(may=True)

    with River(tmp_path, kafka, orgs, settings(postgres.url)) as river:
        check_an_outage(river, refusing)
