"""What both stores have in common: tables of the same names and columns, and an SQL that both understand."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from headrace.eventlog.merging import Merging
from headrace.eventlog.pages import Page
from headrace.eventlog.port import EventQuery, StoredEvent
from headrace.eventlog.row import Row

T = TypeVar("T")

Pointer = tuple[str, str, float]
"""Source, id and time of an event."""

SIZES = (500, 100, 20, 5, 1)
"""Rows of one statement. Times the columns this stays far below the 32,766 parameters that SQLite takes."""


class Tables(Protocol):
    """An open transaction of one of the stores. Parameters are question marks."""

    @property
    def keys(self) -> Mapping[str, Sequence[str]]:
        """Return by table the columns of its key, where they are not those of its rule."""
        ...

    @property
    def is_alone(self) -> bool:
        """Whether nobody else writes meanwhile; else rows are always written in the order of their keys."""
        ...

    def store(self, rows: Collection[Row], now: float) -> tuple[int, int]:
        """Store *rows*, no two of the same event; return how many were new, and how many came too late."""
        ...

    def find_events(self, query: EventQuery) -> Page[StoredEvent]:
        """Return one page of a session's events, or the latest events of an org."""
        ...

    def missing(self, org: str, session: str) -> int:
        """Return how many `seq` of a session are not there, from 0 up to the greatest that is."""
        ...

    def values(self, pointers: Sequence[Pointer]) -> dict[tuple[str, str], bytes]:
        """Return the values of events by source and id; those that are gone are left out."""
        ...

    def run(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows that *statement* gives."""
        ...

    def change(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Return how many rows *statement* changed."""
        ...

    def failures(self, org: str, session: str) -> Iterable[Row]:
        """Return the failed events of a session."""
        ...

    def delete_events(self, org: str, session: str) -> int:
        """Delete the events of a session, and return how many they were."""
        ...

    def expire_events(self, before: float) -> tuple[int, bool]:
        """Delete a portion of the events from before *before*.

        Return how many, and whether there are no more of those of the next portion of sessions.
        """
        ...


def upsert(tables: Tables, table: str, rule: Merging, parts: Sequence[Any], *fixed: str) -> None:
    """Merge *parts* into *table*; the columns *fixed* are written with a new row only."""
    columns = (*rule.columns, *fixed)
    read = attrgetter(*columns)
    rest = rule.sql(table, tables.keys.get(table, ()))
    for some in portions_of(parts):
        tables.change(
            f"INSERT INTO {table} ({', '.join(columns)}) {values(len(columns), len(some))} {rest}",
            list(chain.from_iterable(map(read, some))),
        )


def values(columns: int, rows: int) -> str:
    """Return `VALUES` with so many question marks."""
    row = f"({', '.join('?' * columns)})"
    return f"VALUES {', '.join([row] * rows)}"


def marks(parameters: Sequence[object]) -> str:
    """Return one question mark for each of *parameters*."""
    return ", ".join("?" * len(parameters))


def portions_of(parts: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut *parts* into lists of a few sizes only: a statement that was run before need not be prepared again."""
    start = 0
    for size in SIZES:
        while start + size <= len(parts):
            yield parts[start : start + size]
            start += size


def portions(parts: Iterable[T], most: int) -> Iterator[list[T]]:
    """Cut *parts* into lists of *most* at most."""
    rest = iter(parts)
    while some := list(islice(rest, most)):
        yield some
