"""The file of the embedded event log: what becomes of it, and of the events, when things go wrong."""

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.clock import SystemClock
from headrace.errors import StoreError
from headrace.eventlog.port import EventQuery
from headrace.eventlog.sqlite import SqliteEventLog
from headrace.testing.eventlog_contract import event

ALL = EventQuery(org="acme", limit=1_000_000)


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


def test_a_failure_in_the_middle_of_a_transaction_leaves_nothing_of_it(store: SqliteEventLog) -> None:
    store.upsert([event("1")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headrace.eventlog.sqlite.SUM_UP", "SELECT fails_now(?)")
        with pytest.raises(StoreError):
            store.upsert([event("2"), event("3", subject="s-2")])

    assert [found.value for found in store.events(ALL)] == [event("1")]
    assert store.upsert([event("2")]).added == 1
    assert [summary.events for summary in store.sessions("acme")] == [2]


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
    path.write_bytes(whole[:start] + b"\xff" * (len(whole) - start))

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
    (tmp_path / "taken").mkdir()
    with pytest.raises(StoreError, match="check the permissions"):
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


WRITE = """
import sys, time
from pathlib import Path
from headrace.clock import SystemClock
from headrace.eventlog.sqlite import SqliteEventLog
from headrace.testing.eventlog_contract import event

path, name, batches = sys.argv[1:]
store = SqliteEventLog(Path(path), SystemClock())
for number in range(int(batches)):
    own = [event(f"{name}-{number}-{n}", subject=name) for n in range(45)]
    shared = [event(f"shared-{number}-{n}", subject="shared") for n in range(5)]
    begun = time.perf_counter()
    store.upsert(own + shared)
    print(time.perf_counter() - begun, flush=True)
store.close()
"""
"""Stores batches of 50 events that share every tenth with all other writers, and tells how long each took."""


def writing(path: Path, name: str, batches: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITE, str(path), name, str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_several_processes_write_the_same_new_file_and_none_starves(path: Path) -> None:
    writers = [writing(path, name, 30) for name in ("a", "b", "c")]
    slowest = max(float(took) for writer in writers for took in writer.communicate(timeout=60)[0].split())
    assert [writer.returncode for writer in writers] == [0, 0, 0]

    log = reader(path)
    sessions = {summary.session: summary.events for summary in log.sessions("acme")}
    assert sessions == {"a": 30 * 45, "b": 30 * 45, "c": 30 * 45, "shared": 30 * 5}
    assert len(log.events(ALL)) == sum(sessions.values())
    assert slowest < 5.0
    log.close()


def test_kill_9_loses_nothing_that_was_acknowledged_and_leaves_no_half_batch(path: Path) -> None:
    writer = writing(path, "a", 1_000_000)
    assert writer.stdout is not None
    for _ in range(20):
        assert writer.stdout.readline()
    writer.kill()
    acknowledged = 20 + len(writer.communicate(timeout=30)[0].splitlines())

    store = SqliteEventLog(path, SystemClock())
    before = {summary.session: summary.events for summary in store.sessions("acme")}
    assert sum(before.values()) == len(store.events(ALL))
    batches, rest = divmod(before["a"], 45)
    assert (rest, before["shared"]) == (0, batches * 5)
    assert batches in (acknowledged, acknowledged + 1)

    # What was not acknowledged is delivered again, and has its effect once.
    for number in range(batches - 2, batches + 2):
        store.upsert([event(f"a-{number}-{n}", subject="a") for n in range(45)])
    after = {summary.session: summary.events for summary in store.sessions("acme")}
    assert after["a"] == (batches + 2) * 45
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
