"""The event log's sink, held to the contract of sinks, on a real file: it hangs where another writer keeps its turn."""

import fcntl
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from headrace.clock import SystemClock
from headrace.errors import StoreError
from headrace.eventlog.port import EventQuery, SessionSummary, StoredEvent, Upserted
from headrace.eventlog.sink import EventLogSink
from headrace.eventlog.sqlite import SqliteEventLog
from headrace.testing.sink_contract import TIMEOUT, RemoteSinkContract, SinkBench


class Watched:
    """An event log that counts what it is asked, and can be made to refuse."""

    def __init__(self, store: SqliteEventLog) -> None:
        self.store = store
        self.calls = 0
        self.is_failing = False

    def upsert(self, values: Sequence[bytes], orgs: Sequence[str] = ()) -> Upserted:
        self.calls += 1
        if self.is_failing:
            raise StoreError("planned")
        return self.store.upsert(values, orgs)

    def sessions(self, org: str, *, limit: int = 100) -> Sequence[SessionSummary]:
        return self.store.sessions(org, limit=limit)

    def events(self, query: EventQuery) -> Sequence[StoredEvent]:
        return self.store.events(query)

    def close(self) -> None:
        self.store.close()


class EventLogBench:
    def __init__(self, path: Path) -> None:
        self.watched = Watched(SqliteEventLog(path, SystemClock()))
        self.reader = SqliteEventLog(path, SystemClock(), read_only=True)
        self.sink = EventLogSink(self.watched, TIMEOUT)
        self._path = path
        self._turn: int | None = None

    def stored(self) -> list[bytes]:
        if not self._path.exists():
            return []
        return [event.value for event in self.reader.events(EventQuery(org="acme"))][::-1]

    def posts(self) -> int:
        return self.watched.calls

    def fail(self) -> None:
        self.watched.is_failing = True

    def hang(self) -> None:
        self._turn = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._turn, fcntl.LOCK_EX)

    def mend(self) -> None:
        self.watched.is_failing = False
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None


class TestEventLogSink(RemoteSinkContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.path = tmp_path / "eventlog.db"

    def bench(self) -> AbstractAsyncContextManager[SinkBench]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[SinkBench]:
            bench = EventLogBench(self.path)
            yield bench
            await bench.sink.aclose()
            bench.reader.close()

        return opened()
