"""The tables of the embedded event log, inside a transaction that somebody else begins and ends."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from headrace.eventlog import erasing
from headrace.eventlog.adding import add_exceptions, add_sessions, without_erased
from headrace.eventlog.erasing import OLD, PORTION
from headrace.eventlog.event_pages import page_of
from headrace.eventlog.fold import fold
from headrace.eventlog.pages import Page
from headrace.eventlog.port import EventQuery, StoredEvent
from headrace.eventlog.row import Row
from headrace.eventlog.statements import (
    EVENTS,
    FAILURES,
    FORGET,
    MISSING,
    NUMBER,
    REPEATED,
    ROWS_PER_STATEMENT,
    SOURCES,
    STAGED,
    STORED,
    select_of_org,
    select_values,
    selects_of_session,
)
from headrace.eventlog.tables import Pointer, portions, portions_of, values

_EXPIRE = "DELETE FROM event WHERE n IN (SELECT n FROM event WHERE {where} LIMIT ?)"
_OLD_PART = "at < ? AND session IN (SELECT n FROM session WHERE first_at < ? AND last_at >= ?)"

REFOLD = 5000
"""Events that are told again in one go."""


class SqliteTables:
    """`Tables` in SQLite, and what is done differently there: storing and reading events."""

    keys: Mapping[str, Sequence[str]] = {}
    is_alone = True

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, parameters).fetchall()

    def change(self, statement: str, parameters: Sequence[object] = ()) -> int:
        return self._connection.execute(statement, parameters).rowcount

    def store(self, rows: Collection[Row], now: float) -> tuple[int, int]:
        """Store *rows*, no two of the same event; return how many were new, and how many came too late."""
        self._stage(rows)
        ((places,),) = self.run(REPEATED)
        repeated = set(map(int, places.split(","))) if places else ()
        new = [row for place, row in enumerate(rows) if place not in repeated]
        fresh, late = without_erased(self, new, now)
        if len(fresh) < len(rows):
            self.run(FORGET)
            self._stage(fresh)
        folded = fold(fresh)
        self.run(SOURCES)
        add_sessions(self, folded)
        self.run(EVENTS)
        self.run(FORGET)
        add_exceptions(self, folded)
        return len(fresh), late

    def refold(self) -> None:
        """Tell all stored events again to their sessions and exceptions, which know nothing of them."""
        last = 0
        while found := self.run(STORED, (last, REFOLD)):
            last = found[-1][0]
            folded = fold(Row(*each[1:]) for each in found)
            add_sessions(self, folded)
            add_exceptions(self, folded)

    def values(self, pointers: Sequence[Pointer]) -> dict[tuple[str, str], bytes]:
        """Return the values of events by source and id."""
        read: dict[tuple[str, str], bytes] = {}
        for some in portions(pointers, ROWS_PER_STATEMENT):
            flat = list(chain.from_iterable(each[:2] for each in some))
            read |= {(source, id_): value for source, id_, value in self.run(select_values(values(2, len(some))), flat)}
        return read

    def find_events(self, query: EventQuery) -> Page[StoredEvent]:
        """Return one page of a session's events, or the first events of an org."""
        selects = iter([select_of_org(query)])
        if query.session is not None:
            found = self.run(NUMBER, (query.org, query.session))
            selects = selects_of_session(query, found[0][0] if found else -1)
        return page_of(chain.from_iterable(self._connection.execute(*each) for each in selects), query)

    def missing(self, org: str, session: str) -> int:
        ((missing,),) = self.run(MISSING, (org, session))
        return int(missing)

    def failures(self, org: str, session: str) -> Iterable[Row]:
        return [Row(*each) for each in self.run(FAILURES, (org, session))]

    def delete_events(self, org: str, session: str) -> int:
        return self.change(
            "DELETE FROM event WHERE session = (SELECT n FROM session WHERE org = ? AND session = ?)", (org, session)
        )

    def expire_events(self, before: float) -> tuple[int, bool]:
        left, gone = erasing.EVENTS, 0
        whole = (_EXPIRE.format(where=f"session IN (SELECT n {OLD})"), (before, before, PORTION))
        part = (_EXPIRE.format(where=_OLD_PART), (before,) * 3)
        for statement, moments in (whole, part):
            gone += self.change(statement, (*moments, left - gone)) if gone < left else 0
        return gone, gone < left

    def _stage(self, rows: Iterable[Row]) -> None:
        for some in portions_of(list(enumerate(rows))):
            flat = list(chain.from_iterable((place, *row[:9]) for place, row in some))
            self.run(f"INSERT INTO incoming {values(len(STAGED), len(some))}", flat)
