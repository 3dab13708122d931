"""Both event logs keep the same promises."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.clock import SystemClock
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.port import EventLog
from headrace.eventlog.sqlite import SqliteEventLog
from headrace.testing.eventlog_contract import EventLogContract


class TestMemoryEventLog(EventLogContract):
    @pytest.fixture
    def store(self) -> EventLog:
        return MemoryEventLog(SystemClock())


class TestSqliteEventLog(EventLogContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[EventLog]:
        store = SqliteEventLog(tmp_path / "deep" / "eventlog.db", SystemClock())
        yield store
        store.close()
