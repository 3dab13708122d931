"""The embedded event log: one SQLite file, written by any number of processes of one machine."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from headrace.clock import Clock
from headrace.eventlog.sqlite_file import connect, connect_to_read, forget_erased, store_error
from headrace.eventlog.sqlite_tables import SqliteTables
from headrace.eventlog.statements import INCOMING
from headrace.eventlog.tables_log import TablesEventLog


class SqliteEventLog(TablesEventLog):
    """A `Store` in the file *path*. It opens when it is first used, and again after a failure.

    Writers of all processes take turns by a lock on `{path}.lock`: SQLite's own waiting starves some of them.
    """

    def __init__(self, path: Path, clock: Clock, *, read_only: bool = False) -> None:
        super().__init__(clock)
        self._path = path
        self._read_only = read_only
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # what it could not do on the way out, the next opening does
                connection.close()

    @contextmanager
    def _looking(self) -> Iterator[SqliteTables]:
        """Read from one state of the store. One that may write opens, and makes, the file first, so it takes a turn."""
        with self._failing_clearly(), self._turn():
            connection = self._open()
            connection.execute("BEGIN")
            yield SqliteTables(connection)
            connection.execute("COMMIT")

    @contextmanager
    def _storing(self) -> Iterator[SqliteTables]:
        with self._failing_clearly(), self._turn():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            yield SqliteTables(connection)
            connection.execute("COMMIT")

    @contextmanager
    def _erasing(self) -> Iterator[SqliteTables]:
        """Change the store so that nothing of what is deleted is left in its files."""
        with self._storing() as tables:
            yield tables
        with self._failing_clearly(), self._turn():
            forget_erased(self._open())

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
