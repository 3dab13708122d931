"""How two partial sums of one thing become one, whatever came first: the same rule in SQL and in Python."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

NEVER_FIRST, NEVER_LAST = b"\xff", b""
"""The ranks of what is not there: it gives way to anything."""


class Merging(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a sum by how they merge.

    *sums* add up, *least* and *greatest* keep one of two. *first* maps a rank to the columns that come with the lowest
    such rank, *last* to those that come with the highest. All of it commutes, so no order of arrival shows.
    """

    key: tuple[str, ...]
    sums: tuple[str, ...] = ()
    least: tuple[str, ...] = ()
    greatest: tuple[str, ...] = ()
    first: Mapping[str, tuple[str, ...]] = {}
    last: Mapping[str, tuple[str, ...]] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the rule names, the key first."""
        picked = [
            column for picks in (self.first, self.last) for rank, rest in picks.items() for column in (rank, *rest)
        ]
        return (*self.key, *self.sums, *self.least, *self.greatest, *picked)

    def sql(self, table: str, key: Sequence[str] = ()) -> str:
        """Return what follows `INSERT … VALUES …` so that new rows merge with those that *table* has.

        *key* names its key's columns where they are others than those of the rule.
        """
        sets = [f"{column} = {table}.{column} + excluded.{column}" for column in self.sums]
        sets += [_pick(table, column, "<", (column,)) for column in self.least]
        sets += [_pick(table, column, ">", (column,)) for column in self.greatest]
        sets += [_pick(table, rank, "<", (rank, *columns)) for rank, columns in self.first.items()]
        sets += [_pick(table, rank, ">", (rank, *columns)) for rank, columns in self.last.items()]
        return f"ON CONFLICT ({', '.join(key or self.key)}) DO UPDATE SET {', '.join(sets)}"

    def merge(self, whole: Any, part: Any) -> None:
        """Merge *part* into *whole*; both have the columns as attributes."""
        for column in self.sums:
            setattr(whole, column, getattr(whole, column) + getattr(part, column))
        for column in self.least:
            setattr(whole, column, min(getattr(whole, column), getattr(part, column)))
        for column in self.greatest:
            setattr(whole, column, max(getattr(whole, column), getattr(part, column)))
        for rank, columns in self.first.items():
            if getattr(part, rank) < getattr(whole, rank):
                _copy(part, whole, (rank, *columns))
        for rank, columns in self.last.items():
            if getattr(part, rank) > getattr(whole, rank):
                _copy(part, whole, (rank, *columns))


def _pick(table: str, rank: str, than: str, columns: Sequence[str]) -> str:
    chosen = f"excluded.{rank} {than} {table}.{rank}"
    return ", ".join(
        f"{column} = CASE WHEN {chosen} THEN excluded.{column} ELSE {table}.{column} END" for column in columns
    )


def _copy(source: Any, target: Any, columns: Sequence[str]) -> None:
    for column in columns:
        setattr(target, column, getattr(source, column))
