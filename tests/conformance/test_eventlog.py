"""All event logs keep the same promises."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.opening import Store
from headrace.eventlog.postgres import PostgresEventLog
from headrace.eventlog.sqlite import SqliteEventLog
from headrace.testing.clock import EPOCH, FakeClock
from headrace.testing.eventlog_contract import EventLogContract
from headrace.testing.eventlog_exceptions_contract import ExceptionsContract
from headrace.testing.eventlog_pages_contract import BEGUN, PagesContract
from headrace.testing.eventlog_trail_contract import TrailContract
from headrace.testing.eventlog_upkeep_contract import UpkeepContract


class Contract(EventLogContract, ExceptionsContract, PagesContract, TrailContract, UpkeepContract):
    """Everything that an event log promises."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock(BEGUN - EPOCH)

    @pytest.fixture
    def store(self, new_store: Callable[[], Store]) -> Store:
        return new_store()


class TestMemoryEventLog(Contract):
    @pytest.fixture
    def new_store(self, clock: FakeClock) -> Callable[[], Store]:
        return lambda: MemoryEventLog(clock)


class TestSqliteEventLog(Contract):
    @pytest.fixture
    def new_store(self, clock: FakeClock, tmp_path: Path) -> Iterator[Callable[[], Store]]:
        stores = [SqliteEventLog(tmp_path / f"deep-{n}" / "eventlog.db", clock) for n in range(2)]
        yield iter(stores).__next__
        for store in stores:
            store.close()


class TestPostgresEventLog(Contract):
    @pytest.fixture
    def new_store(self, clock: FakeClock, new_postgres: Callable[[], str]) -> Iterator[Callable[[], Store]]:
        stores: list[PostgresEventLog] = []

        def new() -> Store:
            stores.append(PostgresEventLog(new_postgres(), clock))
            return stores[-1]

        yield new
        for store in stores:
            store.close()
