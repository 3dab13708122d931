"""Rows of charts: the time, and then a number for each line of the chart. Pure."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from headrace.console.watching.history import Sample
from headrace.core.positions import Positions

Row = Sequence[float | None]


class Named(Protocol):
    """A tier, by the delay in its name."""

    @property
    def tier(self) -> str: ...


class Due(Protocol):
    """What is due in one minute, per tier."""

    @property
    def at(self) -> float: ...

    @property
    def records(self) -> Sequence[int]: ...


def columns(points: Iterable[object], *names: str) -> Sequence[Row]:
    """Return the fields *names* of each point."""
    return [[getattr(point, name) for name in names] for point in points]


def depths(samples: Iterable[Sample], tiers: Sequence[Named]) -> Sequence[Row]:
    """Return the depth of each of *tiers*, a gap where a look did not know the tier yet."""
    return [[each.at, *(each.tiers.get(tier.tier) for tier in tiers)] for each in samples]


def dues(minutes: Iterable[Due]) -> Sequence[Row]:
    """Return how many records are due, per tier."""
    return [[each.at, *each.records] for each in minutes]


def document(positions: Positions) -> str:
    """Write *positions* as the document that `headrace audit --at` takes, one line for each topic."""
    lines = [f'"{topic}":{msgspec.json.encode(numbers).decode()}' for topic, numbers in positions.items()]
    return '{"positions":{\n' + ",\n".join(lines) + "\n}}"
