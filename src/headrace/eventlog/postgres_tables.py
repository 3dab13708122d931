"""The tables of an event log in PostgreSQL, inside a transaction that somebody else begins and ends."""

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b, md5
from itertools import chain
from typing import Any

from headrace.eventlog import erasing
from headrace.eventlog.adding import add_exceptions, add_sessions, without_erased
from headrace.eventlog.choosing import Where
from headrace.eventlog.event_pages import page_of, parts_of
from headrace.eventlog.fold import fold
from headrace.eventlog.pages import Page
from headrace.eventlog.port import EventQuery, StoredEvent
from headrace.eventlog.postgres_connection import Connection
from headrace.eventlog.postgres_days import DAY, UNDATED, drop_day
from headrace.eventlog.postgres_text import escape
from headrace.eventlog.row import Row
from headrace.eventlog.tables import Pointer

INCOMING = """
    CREATE TEMP TABLE IF NOT EXISTS incoming (
        day INTEGER, identity BYTEA, session BYTEA, seq BIGINT, at DOUBLE PRECISION, type TEXT, failed BOOLEAN,
        id TEXT, source TEXT, value BYTEA
    ) ON COMMIT DELETE ROWS
"""
"""What one transaction is about to store; it lives in memory, and belongs to one connection."""

_COPY = "COPY incoming FROM STDIN (FORMAT BINARY)"
_TYPES = ("int4", "bytea", "bytea", "int8", "float8", "text", "bool", "text", "text", "bytea")

# In one order everywhere, so that two writers of the same events wait for each other one way round.
_STORE = """
    INSERT INTO event (day, identity, session, seq, at, type, failed, id, source, value)
    SELECT * FROM incoming ORDER BY day, identity ON CONFLICT DO NOTHING RETURNING identity
"""
_VALUES = "SELECT source, id, value FROM event WHERE identity = ANY(?) AND day = ANY(?)"

# The days of a session's events are those of its first and last one, so that no other partition is looked at.
_JOINED = f"""
    session AS s JOIN event AS e ON e.session = s.digest AND (
        e.day = {UNDATED} OR e.day BETWEEN floor(s.first_at / {DAY})::integer AND floor(s.last_at / {DAY})::integer
    )
"""
_FAILURES = f"""
    SELECT e.id, e.source, s.org, s.session, e.seq, e.at, e.type, e.failed, e.value FROM {_JOINED}
    WHERE s.org = ? AND s.session = ? AND e.failed
"""  # noqa: S608

_MISSING = f"""
    SELECT coalesce(max(e.seq) - count(DISTINCT e.seq) + 1, 0) FROM {_JOINED}
    WHERE s.org = ? AND s.session = ? AND e.seq >= 0
"""  # noqa: S608

_EXPIRE_REST = """
    DELETE FROM event_rest WHERE ctid = ANY(ARRAY(SELECT ctid FROM event_rest WHERE at < ? ORDER BY at LIMIT ?))
"""

PORTION = 100
"""Events that the server sends at once."""

_pack = struct.Struct(">Q").pack


class PostgresTables:
    """`Tables` in PostgreSQL, and what is done differently there: storing and reading events."""

    keys: Mapping[str, Sequence[str]] = {"session": ("digest",), "hit": ("digest",)}
    is_alone = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(_translate(statement), parameters).fetchall()

    def change(self, statement: str, parameters: Sequence[object] = ()) -> int:
        return self._connection.execute(_translate(statement), parameters).rowcount

    def store(self, rows: Collection[Row], now: float) -> tuple[int, int]:
        left, late = without_erased(self, list(rows), now)
        by_identity = {identity(row.source, row.id, row.at if row.is_dated else None): row for row in left}
        with self._connection.cursor().copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for key, row in by_identity.items():
                digest = session_digest(row.org, row.session)
                copy.write_row(
                    (day_of(row), key, digest, row.seq, row.at, row.type, row.failed, row.id, row.source, row.value)
                )
        fresh = [by_identity[key] for (key,) in self.run(_STORE)]
        folded = fold(fresh)
        add_sessions(self, folded)
        add_exceptions(self, folded)
        return len(fresh), late

    def values(self, pointers: Sequence[Pointer]) -> dict[tuple[str, str], bytes]:
        dated = [identity(source, id_, at) for source, id_, at in pointers]
        undated = [identity(source, id_, None) for source, id_, _ in pointers]
        days = {UNDATED, *(int(at // DAY) for _, _, at in pointers)}
        found = self.run(_VALUES, (dated + undated, list(days))) if pointers else []
        return {(source, id_): value for source, id_, value in found}

    def find_events(self, query: EventQuery) -> Page[StoredEvent]:
        if query.session is None:
            return page_of(self._sent(*_select_of_org(query)), query)
        digest = session_digest(query.org, query.session)
        found = self.run("SELECT first_at, last_at FROM session WHERE digest = ?", (digest,))
        selects = selects_of_session(query, digest, *found[0]) if found else iter(())
        rows = chain.from_iterable(self._sent(*each) for each in selects)
        return page_of(((query.org, query.session, *row) for row in rows), query)

    def missing(self, org: str, session: str) -> int:
        ((missing,),) = self.run(_MISSING, (org, session))
        return int(missing)

    def _sent(self, statement: str, parameters: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        """Read by a cursor of the server's, which sorts once and sends a portion at a time, no more than is taken."""
        with self._connection.cursor("events") as found:
            found.itersize = PORTION
            yield from found.execute(_translate(statement), parameters)

    def failures(self, org: str, session: str) -> Iterable[Row]:
        return [Row(*each) for each in self.run(_FAILURES, (org, session))]

    def delete_events(self, org: str, session: str) -> int:
        return self.change("DELETE FROM event WHERE session = ?", (session_digest(org, session),))

    def expire_events(self, before: float) -> tuple[int, bool]:
        dropped, is_last = drop_day(self._connection, before)
        if not is_last:
            return dropped, False
        gone = self.change(_EXPIRE_REST, (before, erasing.EVENTS))
        return dropped + gone, gone < erasing.EVENTS


def selects_of_session(
    query: EventQuery, digest: bytes, first_at: float, last_at: float
) -> Iterator[tuple[str, list[object]]]:
    """Return the statements that read one page of a session, one after the other, without its org and name."""
    for where, order in parts_of(query, "e.source"):
        where.add(
            f"e.session = ? AND (e.day = {UNDATED} OR e.day BETWEEN ? AND ?)",
            digest,
            int(first_at // DAY),
            int(last_at // DAY),
        )
        yield (
            f"SELECT {_columns(query)} FROM event AS e {where} {order} LIMIT ?",  # noqa: S608
            [*where.parameters, query.limit + 1],
        )


def _select_of_org(query: EventQuery) -> tuple[str, list[object]]:
    where = Where()
    where.add("s.org = ?", query.org)
    where.add_given("e.type = ?", query.type)
    where.add_given("e.id = ?", query.id)
    where.add_given("(e.seq IS NULL OR e.seq >= ?)", query.seq_from)
    where.add_given("e.seq <= ?", query.seq_to)
    if query.failed:
        where.add("s.errors > 0 AND e.failed")
    order = "ORDER BY s.first_at DESC, s.n DESC, e.seq IS NULL DESC, e.seq DESC, e.at DESC, e.id DESC"
    columns = f"s.org, s.session, {_columns(query)}"
    return f"SELECT {columns} FROM {_JOINED} {where} {order} LIMIT ?", [*where.parameters, query.limit + 1]  # noqa: S608


def _columns(query: EventQuery) -> str:
    value = "e.value" if query.values else "''::bytea"
    return f"e.seq, e.at, e.type, e.failed, {value}, e.id, e.source"


def identity(source: str, id_: str, at: float | None) -> bytes:
    """Return what an event is known by: its time in milliseconds, so that new ones stand together, and a digest."""
    digest = blake2b(f"{source}\0{id_}".encode(), digest_size=10).digest()
    return _pack(0 if at is None else int(at * 1000) & 0xFFFF_FFFF_FFFF)[2:] + digest


def session_digest(org: str, session: str) -> bytes:
    """Return the key of a session, as the table makes it."""
    return md5(f"{org}/{escape(session)}".encode(), usedforsecurity=False).digest()


def day_of(row: Row) -> int:
    """Return the day that an event is stored under: by its own time, so that it is the same when it comes again."""
    return int(row.at // DAY) if row.is_dated else UNDATED


@lru_cache(maxsize=512)
def _translate(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")
