"""The file of the embedded event log: what becomes of it, and of the events, when things go wrong."""

import multiprocessing
import os
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from headrace.clock import SystemClock
from headrace.errors import StoreError
from headrace.eventlog.port import EventQuery
from headrace.eventlog.sqlite import SqliteEventLog
from headrace.testing.eventlog_contract import event

ALL = EventQuery(org="acme", limit=1_000_000)
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "eventlog.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteEventLog]:
    store = SqliteEventLog(path, SystemClock())
    yield store
    store.close()


def reader(path: Path) -> SqliteEventLog:
    return SqliteEventLog(path, SystemClock(), read_only=True)


def sqlite(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_full_disk_refuses_and_goes_on_when_there_is_room(store: SqliteEventLog) -> None:
    """The limit on the size of files makes the same system calls fail as a disk without room."""
    store.upsert([event("1")])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StoreError, match="disk full"):
            store.upsert([event(f"big-{n}", data="x" * 10_000) for n in range(100)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [found.value for found in store.events(ALL)] == [event("1")]
    assert store.upsert([event("2")]).added == 1
    assert store.sessions("acme")[0].events == 2


def test_a_file_that_another_program_locks_is_an_error_that_passes(
    store: SqliteEventLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.eventlog.sqlite_file.BUSY_TIMEOUT", 0.05)
    store.upsert([event("1")])
    store.close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="locked by another program"):
        store.upsert([event("2")])

    other.execute("ROLLBACK")
    other.close()
    assert store.upsert([event("2")]).added == 1


@pytest.mark.parametrize("start", [0, 8192], ids=["the header", "the pages"])
def test_a_damaged_file_is_said_to_be_and_a_new_one_is_made_when_it_is_moved_away(path: Path, start: int) -> None:
    store = SqliteEventLog(path, SystemClock())
    store.upsert([event(f"{n}") for n in range(500)])
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:start] + os.urandom(len(whole) - start))

    with pytest.raises(StoreError, match="is damaged"):
        store.upsert([event("new")])
    path.rename(path.with_suffix(".damaged"))

    assert store.upsert([event("new")]).added == 1
    store.close()


def test_a_file_that_is_moved_away_while_it_is_open_is_made_anew(store: SqliteEventLog, path: Path) -> None:
    """Else every event would go to a file that nobody can find any more."""
    store.upsert([event("1")])
    path.rename(path.with_suffix(".old"))

    store.upsert([event("2")])

    with_two = reader(path)
    assert [found.value for found in with_two.events(ALL)] == [event("2")]
    with_two.close()


def test_a_newer_schema_is_refused_and_left_alone(store: SqliteEventLog, path: Path) -> None:
    store.upsert([event("1")])
    store.close()
    sqlite(path, "PRAGMA user_version = 99")

    for log in (store, reader(path)):
        with pytest.raises(StoreError, match="newer Headrace"):
            log.upsert([event("2")]) if log is store else log.sessions("acme")

    sqlite(path, "PRAGMA user_version = 1")
    assert len(store.events(ALL)) == 1


def test_the_database_of_another_program_is_refused_and_left_alone(store: SqliteEventLog, path: Path) -> None:
    sqlite(path, "CREATE TABLE theirs (x)")
    before = path.read_bytes()

    with pytest.raises(StoreError, match="another program"):
        store.upsert([event("1")])

    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")

    with pytest.raises(StoreError, match="check its directory"):
        SqliteEventLog(tmp_path / "file" / "eventlog.db", SystemClock()).upsert([event("1")])
    with pytest.raises(StoreError, match="check the permissions"):
        (tmp_path / "taken").mkdir()
        SqliteEventLog(tmp_path / "taken", SystemClock()).upsert([event("1")])


def test_a_reader_says_that_there_is_no_log_and_makes_none(path: Path) -> None:
    with pytest.raises(StoreError, match="no event log at"):
        reader(path).sessions("acme")

    assert not path.exists()


def test_a_reader_sees_each_transaction_while_a_writer_works(store: SqliteEventLog, path: Path) -> None:
    store.upsert([event("1")])
    log = reader(path)

    for count in range(2, 6):
        store.upsert([event(f"{count}")])
        assert len(log.events(ALL)) == count
    log.close()


def test_a_reader_cannot_write(store: SqliteEventLog, path: Path) -> None:
    store.upsert([event("1")])

    with pytest.raises(StoreError):
        reader(path).upsert([event("2")])

    assert len(store.events(ALL)) == 1


def write(path: Path, name: str, batches: int, done: "multiprocessing.queues.Queue[float]") -> None:
    """Store *batches* of 50 events that share every tenth with all other writers, and tell the slowest."""
    store = SqliteEventLog(path, SystemClock())
    slowest = 0.0
    for number in range(batches):
        own = [event(f"{name}-{number}-{n}", subject=name) for n in range(45)]
        shared = [event(f"shared-{number}-{n}", subject="shared") for n in range(5)]
        begun = time.perf_counter()
        store.upsert(own + shared)
        slowest = max(slowest, time.perf_counter() - begun)
    store.close()
    done.put(slowest)


def test_several_processes_write_the_same_new_file_and_none_starves(path: Path) -> None:
    done = SPAWN.Queue()
    writers = [SPAWN.Process(target=write, args=(path, name, 30, done)) for name in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    slowest = [done.get(timeout=60) for _ in writers]
    for writer in writers:
        writer.join(30)
        assert writer.exitcode == 0

    log = reader(path)
    sessions = {summary.session: summary.events for summary in log.sessions("acme")}
    assert sessions == {"a": 30 * 45, "b": 30 * 45, "c": 30 * 45, "shared": 30 * 5}
    assert len(log.events(ALL)) == sum(sessions.values())
    assert max(slowest) < 5.0
    log.close()


def write_until_killed(path: Path, acknowledged: Path, started: Event) -> None:
    """Store batch after batch, and note each one after it was acknowledged."""
    store = SqliteEventLog(path, SystemClock())
    with acknowledged.open("w") as notes:
        number = 0
        while True:
            store.upsert([event(f"{number}-{n}", data={"error": {}}) for n in range(20)])
            notes.write(f"{number}\n")
            notes.flush()
            number += 1
            if number == 20:
                started.set()


def test_kill_9_loses_nothing_that_was_acknowledged_and_leaves_no_half_batch(path: Path, tmp_path: Path) -> None:
    acknowledged = tmp_path / "acknowledged"
    started = SPAWN.Event()
    writer = SPAWN.Process(target=write_until_killed, args=(path, acknowledged, started))
    writer.start()
    assert started.wait(30)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(30)

    batches = len(acknowledged.read_text().splitlines())
    store = SqliteEventLog(path, SystemClock())
    (before,) = store.sessions("acme")
    assert before.events == len(store.events(ALL)) == before.errors
    assert before.events % 20 == 0
    assert before.events // 20 in (batches, batches + 1)

    # What was not acknowledged is delivered again, and has its effect once.
    store.upsert([event(f"{number}-{n}", data={"error": {}}) for number in range(batches + 1) for n in range(20)])
    (after,) = store.sessions("acme")
    assert after.events == after.errors == (batches + 1) * 20
    store.close()


def test_queries_use_the_indexes(store: SqliteEventLog, path: Path) -> None:
    """A log of ten million events must not be read whole for one session or one list."""
    from headrace.eventlog.statements import SESSIONS, select_events  # noqa: PLC0415

    store.upsert([event("1")])
    connection = sqlite3.connect(path)
    queries = [
        (SESSIONS, ("acme", 1)),
        select_events(EventQuery(org="acme")),
        select_events(EventQuery(org="acme", session="s", type="t", failed=True)),
    ]
    for statement, parameters in queries:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        assert not [step for step in steps if step.startswith("SCAN") and not step.startswith("SCAN found")]
    connection.close()
