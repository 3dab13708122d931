"""The file of the embedded event log: what becomes of it, and of the events, when things go wrong."""

import re
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from headrace.clock import SystemClock
from headrace.errors import StoreError, UsageError
from headrace.eventlog import cursor
from headrace.eventlog.graphs import CounterQuery, TotalsQuery
from headrace.eventlog.pages import ExceptionQuery, HitQuery, SessionQuery
from headrace.eventlog.port import EventQuery
from headrace.eventlog.sqlite import SqliteEventLog
from headrace.eventlog.sqlite_file import APPLICATION_ID, migrations
from headrace.testing.eventlog_contract import ERROR, event
from headrace.testing.eventlog_pages_contract import failed

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
        patch.setattr("headrace.eventlog.sqlite_tables.EVENTS", "SELECT fails_now()")
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

    sqlite(path, f"PRAGMA user_version = {len(migrations())}")
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


def test_a_read_that_lasts_holds_up_no_writer(store: SqliteEventLog, path: Path) -> None:
    """A console's slow page must not delay delivery, though the console may also write."""
    store.upsert([event("1")])

    writer = SqliteEventLog(path, SystemClock())
    writes = threading.Thread(target=writer.upsert, args=([event("2")],), daemon=True)

    with store._looking() as tables:
        assert tables.run("SELECT count(*) FROM event") == [(1,)]
        writes.start()
        writes.join(5)
        assert len(reader(path).events(ALL)) == 2

    writer.close()


def test_a_writer_that_hangs_holds_up_no_read(store: SqliteEventLog, path: Path) -> None:
    """One that was frozen in the middle of its transaction has both locks, the turn and that of SQLite."""
    store.upsert([event("1")])
    console = SqliteEventLog(path, SystemClock())
    reads = threading.Thread(target=console.sessions, args=("acme",), daemon=True)

    with store._storing() as tables:
        tables.run("DELETE FROM event")
        reads.start()
        reads.join(5)
        assert not reads.is_alive()

    console.close()


WRITE = """
import sys, time
from pathlib import Path
from headrace.clock import SystemClock
from headrace.eventlog.sqlite import SqliteEventLog
from headrace.testing.eventlog_contract import ERROR, event

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


def test_a_storm_of_errors_is_stored_by_a_handful_of_statements(store: SqliteEventLog) -> None:
    """Row by row it would be slow just when many wait."""
    store.upsert([event("first")])
    statements: list[str] = []
    store._open().set_trace_callback(statements.append)

    store.upsert([failed(f"{n}", n, f"Action{n % 40}", subject=f"s-{n % 90}") for n in range(400)])

    assert len(statements) < 60
    groups = store.find_exceptions(ExceptionQuery(org="acme", limit=100)).rows
    assert [(group.count, group.sessions) for group in groups] == [(10, 9)] * 40


def test_queries_use_the_indexes(store: SqliteEventLog, path: Path) -> None:
    """A log of ten million events must not be read whole for one session or one list."""
    store.upsert([event("1")])
    statements: list[str] = []
    store._open_to_read().set_trace_callback(statements.append)
    for org in ("acme", None):
        for errors in (False, True):
            store.find_sessions(SessionQuery(org=org, errors=errors, text="x", after=cursor.write((1.0, 1))))
        store.find_hits(HitQuery(org=org, fingerprint="v2:0"))
        store.hit_orgs(org, "v2:0", limit=25)
        store.find_exceptions(ExceptionQuery(org=org, since=1.0))
        store.find_exceptions(ExceptionQuery(org=org, after=cursor.write((1.0, "v2:0"))))
        store.find_exceptions(ExceptionQuery(org=org, order="events", after=cursor.write(((9, "v2:0"), (9, "v2:0")))))
    place = cursor.write((False, 1, 1.0, "1", "/orgs/acme/bots/helpdesk"))
    for query in (EventQuery(org="acme", session="s-1"), EventQuery(org="acme", session="s-1", after=place)):
        for filters in ({}, {"type": "t"}, {"failed": True}, {"seq_from": 3}, {"seq_to": 9}):
            store.find_events(msgspec.structs.replace(query, **filters))
    store.find_sessions(SessionQuery(org="acme", user="eve"))
    store.missing("acme", "s-1")
    store.find_events(EventQuery(org="acme", session="s-1", id="1", limit=1))
    store.find_events(EventQuery(org="acme", type="t", failed=True))
    store.counters(CounterQuery(org=None, since=0, until=1))
    store.totals(TotalsQuery(org=None, since=0))

    connection = sqlite3.connect(path)
    for statement in filter(lambda each: each.lstrip().startswith(("SELECT", "WITH")), statements):
        plan = [(parent, step) for _, parent, _, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert not [
            each for each in plan if re.fullmatch(r"SCAN (s|e|v|o|session|event|hit|counter|exception)", each[1])
        ], plan
        # One page that was found by an index may be sorted once more; what it was found in may not.
        assert "person = 'eve'" not in statement or "session_person (org=? AND person=?)" in str(plan), plan
        is_one = "SEARCH e USING INDEX event_identity" in str(plan)
        sorted_within = [each for each in plan if each[0] != 0 and "TEMP B-TREE FOR ORDER BY" in each[1] and not is_one]
        assert not re.search("hit|ORDER BY e.seq|AS seen", statement) or not sorted_within, plan
    connection.close()


def test_a_place_among_exceptions_is_of_one_order(store: SqliteEventLog) -> None:
    store.upsert([failed(f"{n}", n, f"Action{n}") for n in range(3)])
    last, events = ExceptionQuery(org="acme", limit=1), ExceptionQuery(org="acme", limit=1, order="events")

    for query, other in ((last, events), (events, last)):
        after = store.find_exceptions(query).next
        with pytest.raises(UsageError, match="first one"):
            store.find_exceptions(msgspec.structs.replace(other, after=after))


def test_a_log_of_the_first_schema_is_told_again(path: Path) -> None:
    """What it holds was stored before sessions and exceptions were told in rows of their own."""
    values = [event(f"{n}", subject=f"s-{n % 3}", seq=n, data={"error": ERROR} if n % 2 else {}) for n in range(12)]
    connection = sqlite3.connect(path)
    connection.executescript(migrations()[0])
    connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;")
    connection.execute("INSERT INTO source VALUES (1, '/orgs/acme/bots/helpdesk')")
    for n in range(3):
        connection.execute("INSERT INTO session (n, org, session, source) VALUES (?, 'acme', ?, '')", (n, f"s-{n}"))
    for n, value in enumerate(values):
        connection.execute(
            "INSERT INTO event (id, source, session, seq, at, type, failed, value) VALUES (?, 1, ?, ?, ?, ?, ?, ?)",
            (f"{n}", n % 3, n, 1795428000.0, "bot.message.sent", n % 2, value),
        )
    connection.commit()
    connection.close()

    old, new = SqliteEventLog(path, SystemClock()), SqliteEventLog(path.with_suffix(".new"), SystemClock())
    new.upsert(values)

    assert old.upsert(values).repeated == 12
    for find in (SessionQuery(org="acme"), SessionQuery(org=None, errors=True)):
        assert sorted(old.sessions("acme"), key=str) == sorted(new.sessions("acme"), key=str)
        assert {each.session for each in old.find_sessions(find).rows} == {"s-0", "s-1", "s-2"}
    (group,) = old.find_exceptions(ExceptionQuery(org="acme")).rows
    assert (group.count, group.sessions, group.type) == (6, 3, "OrderNotFound")
    old.close()
    new.close()


def test_what_a_reader_kept_of_an_erased_session_goes_with_the_next_transaction(
    store: SqliteEventLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is being read sees the state before; that state is in the write-ahead log until the read ends."""
    monkeypatch.setattr("headrace.eventlog.sqlite_file.FORGET_TIMEOUT", 0.01)
    secret = "the-password-is-swordfish"
    store.upsert([event("1", data={"text": secret})])
    log = reader(path)

    with log._looking() as tables:
        tables.run("SELECT count(*) FROM event")
        assert store.erase_session("acme", "s-1").events == 1
    log.close()
    store.upsert([event("other", subject="s-2")])

    assert not [file.name for file in path.parent.iterdir() if secret.encode() in file.read_bytes()]


def test_nothing_of_an_erased_session_is_left_in_the_files(store: SqliteEventLog, path: Path) -> None:
    secret = "the-password-is-swordfish"
    store.upsert([event(f"{n}", data={"text": secret}) for n in range(200)])
    store.upsert([event("other", subject="s-2")])

    store.erase_session("acme", "s-1")

    assert not [file.name for file in path.parent.iterdir() if secret.encode() in file.read_bytes()]
    assert [each.session for each in store.sessions("acme")] == ["s-2"]
