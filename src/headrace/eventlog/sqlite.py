"""The embedded event log: one SQLite file, written by any number of processes of one machine."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from headrace.clock import Clock
from headrace.errors import StoreError
from headrace.eventlog.sqlite_file import connect, connect_to_read, forget_erased, is_readable, store_error
from headrace.eventlog.sqlite_tables import SqliteTables
from headrace.eventlog.statements import INCOMING
from headrace.eventlog.tables_log import TablesEventLog


class SqliteEventLog(TablesEventLog):
    """A `Store` in the file *path*. It opens when it is first used, and again after a failure.

    Writers of all processes take turns by a lock on `{path}.lock`: SQLite's own waiting starves some of them. Who reads
    has a connection of its own, and waits for no writer, nor any writer for it.
    """

    def __init__(self, path: Path, clock: Clock, *, read_only: bool = False) -> None:
        super().__init__(clock)
        self._path = path
        self._read_only = read_only
        self._reading: sqlite3.Connection | None = None
        self._writing: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._is_forgetting = False

    def close(self) -> None:
        connections = (self._reading, self._writing)
        self._reading = self._writing = None
        for connection in connections:
            if connection is not None:
                with suppress(sqlite3.Error):  # what it could not do on the way out, the next opening does
                    connection.close()

    @contextmanager
    def _looking(self) -> Iterator[SqliteTables]:
        with self._failing_clearly():
            connection = self._open_to_read()
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
            if self._is_forgetting:
                self._is_forgetting = not forget_erased(connection)

    @contextmanager
    def _erasing(self) -> Iterator[SqliteTables]:
        """Change the store so that nothing of what is deleted is left in its files.

        Somebody who reads meanwhile may keep it in the write-ahead log for as long as that read lasts. Then it goes
        with one of the next transactions: this store's, or that by which a keeper lets old events go.
        """
        with self._storing() as tables:
            yield tables
            self._is_forgetting = True

    def _open(self) -> sqlite3.Connection:
        """Return the connection that writes; the caller has the turn."""
        self._leave_what_moved()
        if self._writing is None:
            self._writing = connect(self._path)
            self._writing.execute(INCOMING)
            self._file = self._file_now()
        return self._writing

    def _open_to_read(self) -> sqlite3.Connection:
        """Return the connection that reads; take a turn only where the file is to be made, or brought up to date."""
        self._leave_what_moved()
        if self._reading is None:
            if not self._read_only and not is_readable(self._path):
                with self._turn():
                    self._open()
            self._reading = connect_to_read(self._path)
            self._file = self._file_now()
        return self._reading

    def _leave_what_moved(self) -> None:
        if (self._reading or self._writing) and self._file != self._file_now():
            self.close()  # somebody moved the file away: what is written to it from now on would be gone

    def _file_now(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_dev, stat.st_ino

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other writer of this machine is at it."""
        if self._read_only:
            raise StoreError(f"{self._path} was opened to be read: nothing can be written to it")
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
