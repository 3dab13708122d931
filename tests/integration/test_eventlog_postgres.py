"""The event log in PostgreSQL: days, several writers, and what becomes of it when things go wrong."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import psycopg
import pytest

import postgres_server
from headrace.clock import SystemClock
from headrace.errors import StoreError
from headrace.eventlog.pages import ExceptionQuery, SessionQuery
from headrace.eventlog.port import EventQuery
from headrace.eventlog.postgres import PostgresEventLog
from headrace.eventlog.postgres_connection import migrations
from headrace.eventlog.postgres_tables import selects_of_session, session_digest
from headrace.localkafka.ports import free_ports
from headrace.model.secret import Secret
from headrace.testing.clock import EPOCH, FakeClock
from headrace.testing.eventlog_contract import ERROR, event
from headrace.testing.eventlog_pages_contract import failed
from headrace.wire.times import to_text

ALL = EventQuery(org="acme", limit=1_000_000)
DAY = 86_400


@pytest.fixture
def url(new_postgres: Callable[[], str]) -> str:
    return new_postgres()


@pytest.fixture
def store(url: str) -> Iterator[PostgresEventLog]:
    store = PostgresEventLog(url, FakeClock())
    yield store
    store.close()


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement)
        return found.fetchall() if found.description else []


def days(url: str) -> dict[str, int]:
    names = ask(url, "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'headrace.event'::regclass")
    counts = {str(name): ask(url, f"SELECT count(*) FROM {name}")[0][0] for (name,) in names}
    return {name.removeprefix("headrace."): int(str(count)) for name, count in counts.items()}


def dated(id_: str, day: float, **fields: object) -> bytes:
    return event(id_, time=to_text(EPOCH + day * DAY), **fields)


def test_each_day_has_a_partition_and_wrong_clocks_share_one(store: PostgresEventLog, url: str) -> None:
    values = [dated("1", 0), dated("2", -1), dated("3", 400), dated("4", -4000), event("5", time=None)]
    assert store.upsert(values).added == 5
    assert store.upsert(values).repeated == 5

    assert days(url) == {"event_20251124": 1, "event_20251123": 1, "event_rest": 3}
    assert {each.id for each in store.events(ALL)} == {"1", "2", "3", "4", "5"}


def test_a_day_that_comes_near_gets_its_events_from_the_rest(url: str) -> None:
    clock = FakeClock()
    for day in range(0, 12, 3):
        store = PostgresEventLog(url, clock)
        done = store.upsert([dated("far", 8), dated(f"{day}", day)])
        assert done.repeated == (day > 0)
        store.close()
        clock.advance(3 * DAY)

    assert days(url)["event_rest"] == 0
    assert len(days(url)) == 6


def test_old_days_are_dropped(store: PostgresEventLog, url: str) -> None:
    store.upsert([dated(f"{day}", -day, subject=f"s-{day}") for day in range(5)] + [dated("odd", -900, subject="odd")])

    ask(url, "ANALYZE headrace.event")
    gone = [store.expire((EPOCH - 2 * DAY) // DAY * DAY) for _ in range(2)]

    assert [(each.events, each.sessions, each.is_all) for each in gone] == [(1, 0, False), (2, 3, True)]
    assert set(days(url)) == {"event_20251122", "event_20251123", "event_20251124", "event_rest"}
    assert store.upsert([dated("3", -3, subject="s-3")]).added == 1, "a day that is gone is made again"


def test_a_reader_that_lasts_makes_dropping_a_day_fail_soon(
    store: PostgresEventLog, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All who would read or write wait behind it meanwhile; it is tried again later."""
    monkeypatch.setattr("headrace.eventlog.postgres_days.DROP_TIMEOUT", 0.1)
    store.upsert([dated("1", -5), dated("2", 0)])

    with psycopg.connect(url) as other:
        other.execute("SELECT count(*) FROM headrace.event")
        with pytest.raises(StoreError, match="locked"):
            store.expire(EPOCH // DAY * DAY)
        assert store.upsert([dated("3", 0)]).added == 1
    assert store.expire(EPOCH // DAY * DAY).is_all


def test_several_writers_of_the_same_new_database_store_each_event_once(url: str) -> None:
    """All begin at once: schema, days and rows are made by one of them, and the same events come from all."""
    barrier = threading.Barrier(4)

    def write(name: str) -> int:
        store = PostgresEventLog(url, SystemClock())
        barrier.wait(30)
        added = 0
        for number in range(20):
            own = [event(f"{name}-{number}-{n}", subject=f"s-{n}") for n in range(20)]
            shared = [failed(f"shared-{number}-{n}", n, subject=f"s-{n % 7}") for n in range(20)]
            added += store.upsert([*own, *shared][:: 1 if len(name) % 2 else -1]).added
        store.close()
        return added

    with ThreadPoolExecutor(4) as threads:
        added = sum(threads.map(write, ["a", "bb", "c", "dd"]))

    store = PostgresEventLog(url, SystemClock(), read_only=True)
    assert added == 4 * 400 + 400 == len(store.events(ALL))
    assert sum(each.events for each in store.sessions("acme")) == added
    (group,) = store.find_exceptions(ExceptionQuery(org="acme")).rows
    assert (group.count, group.sessions) == (400, 7)
    store.close()


WRITE = """
import sys
from headrace.clock import SystemClock
from headrace.eventlog.postgres import PostgresEventLog
from headrace.testing.eventlog_contract import event

store = PostgresEventLog(sys.argv[1], SystemClock())
for number in range(1_000_000):
    store.upsert([event(f"{number}-{n}") for n in range(50)])
    print(number, flush=True)
"""


def test_kill_9_loses_nothing_that_was_acknowledged_and_leaves_no_half_batch(url: str) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITE, url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(10):
        assert writer.stdout.readline()
    writer.kill()
    acknowledged = 10 + len(writer.communicate(timeout=30)[0].splitlines())

    store = PostgresEventLog(url, SystemClock())
    batches, rest = divmod(len(store.events(ALL)), 50)
    assert rest == 0
    assert batches in (acknowledged, acknowledged + 1)
    assert store.sessions("acme")[0].events == batches * 50
    store.close()


def test_texts_longer_than_an_index_takes_are_stored(store: PostgresEventLog) -> None:
    long = "x" * 100_000
    values = [event(long + "1", subject=long, type=long), event(long + "2", subject=long), failed("3", 0, action=long)]

    assert (store.upsert(values).added, store.upsert(values).repeated) == (3, 3)

    assert len(store.events(EventQuery(org="acme", session=long))) == 2
    assert store.erase_session("acme", long).events == 2


def test_a_reader_says_that_there_is_no_log_and_makes_none(url: str) -> None:
    with pytest.raises(StoreError, match="no event log in PostgreSQL"):
        PostgresEventLog(url, SystemClock(), read_only=True).sessions("acme")

    assert ask(url, "SELECT 1 FROM pg_namespace WHERE nspname = 'headrace'") == []


def test_a_reader_cannot_write(store: PostgresEventLog, url: str) -> None:
    store.upsert([event("1")])

    with pytest.raises(StoreError, match="cannot be written"):
        PostgresEventLog(url, SystemClock(), read_only=True).erase_session("acme", "s-1")

    assert len(store.events(ALL)) == 1


def test_a_newer_schema_is_refused_and_left_alone(store: PostgresEventLog, url: str) -> None:
    store.upsert([event("1")])
    store.close()
    ask(url, "UPDATE headrace.schema_version SET version = 99")

    for log in (store, PostgresEventLog(url, SystemClock(), read_only=True)):
        with pytest.raises(StoreError, match="newer Headrace"):
            log.upsert([event("2")]) if log is store else log.sessions("acme")

    ask(url, f"UPDATE headrace.schema_version SET version = {len(migrations())}")
    assert len(store.events(ALL)) == 1


def test_a_server_that_is_not_there_is_one_sentence_without_the_password() -> None:
    log = PostgresEventLog(f"postgresql://u@127.0.0.1:{free_ports()}/db", SystemClock(), password=Secret("geheim"))

    with pytest.raises(StoreError, match=r"PostgreSQL 127.0.0.1:\d+/db does not answer .*eventlog.url") as refused:
        log.upsert([event("1")])

    assert "geheim" not in str(refused.value)


def test_a_server_that_is_restarted_is_used_again() -> None:
    """A broken connection is an error that passes; what was not acknowledged comes again."""
    with postgres_server.running() as url:
        store = PostgresEventLog(url, SystemClock())
        store.upsert([event("1")])
        ask(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'headrace'")

        with pytest.raises(StoreError, match="does not answer"):
            store.upsert([event("2")])
        assert store.upsert([event("2")]).added == 1
        assert len(store.events(ALL)) == 2
    with pytest.raises(StoreError, match="does not answer"):
        store.sessions("acme")


def test_who_may_not_write_is_told_what_is_missing(store: PostgresEventLog, url: str) -> None:
    store.upsert([event("1")])
    ask(url, "DROP ROLE IF EXISTS guest")
    ask(url, "CREATE ROLE guest LOGIN")

    with pytest.raises(StoreError, match="grant the user"):
        PostgresEventLog(url.replace("headrace@", "guest@"), SystemClock(), read_only=True).sessions("acme")


def test_queries_use_the_indexes(store: PostgresEventLog, url: str) -> None:
    """A page of a large log must not read it whole."""
    store.upsert([event(f"{n}", subject=f"s-{n // 4}", time=to_text(EPOCH + n)) for n in range(4000)])
    ask(url, "ANALYZE")
    plan = "\n".join(
        str(line)
        for (line,) in ask(
            url,
            "EXPLAIN SELECT * FROM (SELECT * FROM headrace.session WHERE org = 'acme' AND (first_at, n) < (9e9, 1) "
            "ORDER BY first_at DESC, n DESC LIMIT 51) AS near",
        )
    )

    assert "session_begun_of_org" in plan
    assert "Sort" not in plan
    assert len(store.find_sessions(SessionQuery(org="acme", limit=10)).rows) == 10


@pytest.mark.parametrize("filters", [{}, {"failed": True}, {"seq_from": 3}, {"seq_to": 5000}, {"after": True}])
def test_a_page_of_a_long_session_is_read_in_the_order_of_an_index(
    store: PostgresEventLog, url: str, filters: dict[str, object]
) -> None:
    """Sorting millions of events for each page would take longer than anybody waits."""
    error = {"error": ERROR}
    store.upsert([dated(f"{n}", n / DAY, seq=n if n % 2 else None, data=error) for n in range(6000)])
    ask(url, "ANALYZE")
    query = EventQuery(org="acme", session="s-1", limit=20)
    if filters.pop("after", False):
        filters["after"] = store.find_events(query).next
    query = msgspec.structs.replace(query, **filters)

    with store._looking() as tables:
        ((first, last),) = tables.run("SELECT first_at, last_at FROM session")
        for statement, parameters in selects_of_session(query, session_digest("acme", "s-1"), first, last):
            plan = "\n".join(str(line) for (line,) in tables.run(f"EXPLAIN {statement}", parameters))
            assert "event_place" in plan or "session_seq_at_idx" in plan, plan
            assert not re.search(r"(?<!Incremental )Sort  ", plan), plan
