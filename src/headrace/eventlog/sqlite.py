"""The embedded event log: one SQLite file, written by any number of processes of one machine."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from headrace.clock import Clock
from headrace.eventlog.port import EventQuery, SessionSummary, StoredEvent, Upserted
from headrace.eventlog.row import Row, read
from headrace.eventlog.sqlite_file import connect, connect_to_read, store_error
from headrace.eventlog.statements import (
    INCOMING,
    LAST_EVENT,
    ROWS_PER_STATEMENT,
    SESSIONS,
    STORE,
    SUM_UP,
    select_events,
    stage,
)


class SqliteEventLog:
    """An `EventLog` in the file *path*. It opens when it is first used, and again after a failure.

    Writers of all processes take turns by a lock on `{path}.lock`: SQLite's own waiting starves some of them.
    """

    def __init__(self, path: Path, clock: Clock, *, read_only: bool = False) -> None:
        self._path = path
        self._clock = clock
        self._read_only = read_only
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def upsert(self, values: Sequence[bytes], orgs: Sequence[str] = ()) -> Upserted:
        now = self._clock.wall()
        rows: list[Row] = []
        refused: dict[int, str] = {}
        for position, value in enumerate(values):
            row = read(value, now, orgs[position] if orgs else "")
            if isinstance(row, Row):
                rows.append(row)
            else:
                refused[position] = row
        added = self._store(rows) if rows else 0
        return Upserted(added=added, repeated=len(rows) - added, refused=refused)

    def sessions(self, org: str, *, limit: int = 100) -> Sequence[SessionSummary]:
        with self._failing_clearly(), self._turn():
            found = self._open().execute(SESSIONS, (org, limit)).fetchall()
        return [SessionSummary(**dict(zip(SessionSummary.__struct_fields__, row, strict=True))) for row in found]

    def events(self, query: EventQuery) -> Sequence[StoredEvent]:
        with self._failing_clearly(), self._turn():
            found = self._open().execute(*select_events(query)).fetchall()
        return [
            StoredEvent(org=org, session=session, seq=seq, at=at, type=type_, failed=bool(failed), value=value)
            for org, session, seq, at, type_, failed, value in found
        ]

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # what it could not do on the way out, the next opening does
                connection.close()

    def _store(self, rows: Sequence[Row]) -> int:
        with self._failing_clearly(), self._turn():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            for start in range(0, len(rows), ROWS_PER_STATEMENT):
                part = rows[start : start + ROWS_PER_STATEMENT]
                connection.execute(stage(len(part)), list(chain.from_iterable(part)))
            (last,) = connection.execute(LAST_EVENT).fetchone()
            for statement in STORE:
                connection.execute(statement)
            connection.execute(SUM_UP, (last,))
            (newest,) = connection.execute(LAST_EVENT).fetchone()
            connection.execute("COMMIT")
        return int(newest - last)

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._file != self._file_now():
            self.close()  # somebody moved the file away: what is written to it from now on would be gone
        if self._connection is None:
            if self._read_only:
                self._connection = connect_to_read(self._path)
            else:
                self._connection = connect(self._path)
                self._connection.execute(INCOMING)
            self._file = self._file_now()
        return self._connection

    def _file_now(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_dev, stat.st_ino

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other writer of this machine is at it; who only reads need not wait."""
        if self._read_only:
            yield
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _failing_clearly(self) -> Iterator[None]:
        """After any failure let go of the connection, and with it of an open transaction."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise store_error(error, self._path) from error
        except BaseException:
            self.close()
            raise
