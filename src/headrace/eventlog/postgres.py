"""The event log for production: PostgreSQL, written by any number of processes of any number of machines."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

import psycopg

from headrace.clock import Clock
from headrace.errors import StoreError
from headrace.eventlog.postgres_connection import LOCK, Connection, connect, name_of, store_error
from headrace.eventlog.postgres_days import make_days
from headrace.eventlog.postgres_tables import INCOMING, PostgresTables, day_of
from headrace.eventlog.row import Row
from headrace.eventlog.tables_log import TablesEventLog
from headrace.model.secret import Secret

TRIES = 3
"""How often a transaction is tried that PostgreSQL took back for the sake of another one."""


class PostgresEventLog(TablesEventLog):
    """A `Store` in the database that *url* names. It connects when it is first used, and again after a failure.

    Of equal `source` and `id` the first stays if both tell the same time, as an event that comes again does.
    """

    def __init__(self, url: str, clock: Clock, *, password: Secret | None = None, read_only: bool = False) -> None:
        super().__init__(clock)
        self._url = url
        self._password = password or Secret("")
        self._read_only = read_only
        self._connection: Connection | None = None
        self._days: set[int] = set()

    def _store(self, rows: Collection[Row], now: float) -> tuple[int, int]:
        for left in reversed(range(TRIES)):
            try:
                with self._failing_clearly():
                    make_days(self._open(), set(map(day_of, rows)), self._days, now)
                return super()._store(rows, now)
            except StoreError as error:
                # Writers go in one order; who erases meanwhile does not.
                if not isinstance(error.__cause__, psycopg.errors.DeadlockDetected) or not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        connection, self._connection = self._connection, None
        self._days.clear()
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    @contextmanager
    def _looking(self) -> Iterator[PostgresTables]:
        with self._failing_clearly():
            connection = self._open()
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield PostgresTables(connection)

    @contextmanager
    def _storing(self) -> Iterator[PostgresTables]:
        with self._transaction("pg_advisory_xact_lock_shared") as tables:
            yield tables

    @contextmanager
    def _erasing(self) -> Iterator[PostgresTables]:
        with self._transaction("pg_advisory_xact_lock") as tables:
            yield tables

    @contextmanager
    def _transaction(self, lock: str) -> Iterator[PostgresTables]:
        with self._failing_clearly():
            connection = self._open()
            with connection.transaction():
                connection.execute(f"SELECT {lock}(%s)", (LOCK,))
                yield PostgresTables(connection)

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._url, self._password.reveal(), read_only=self._read_only)
            if not self._read_only:
                self._connection.execute(INCOMING)
        return self._connection

    @contextmanager
    def _failing_clearly(self) -> Iterator[None]:
        """After any failure let go of the connection, and with it of an open transaction."""
        try:
            yield
        except psycopg.Error as error:
            self.close()
            raise store_error(error, name_of(self._url)) from error
        except BaseException:
            self.close()
            raise
