"""Where single events went: the records of tiers and dead topic, found again by the offset where they first stood.

Counts cannot tell a copy of one event from the loss of another. Here every move that a tile tells of must have left
a record of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from headrace.core.columns import Cell, Tally
from headrace.model.tile import Tile


class Step(NamedTuple):
    """One record on a tier or in the dead topic: whose it is, its event's main offset, and when it was written.

    *origin* is None where the record names no place on the main topic: it cannot be followed.
    """

    cell: Cell
    origin: int | None
    at: int


SKEW = 500
"""Milliseconds by which the clocks of two brokers may differ; a tier is longer than that."""


class Trail:
    """Every step of one partition number's events."""

    def __init__(self) -> None:
        self._steps: defaultdict[int, defaultdict[Cell, list[int]]] = defaultdict(lambda: defaultdict(list))

    def add(self, step: Step) -> None:
        """Take a step."""
        if step.origin is not None:
            self._steps[step.origin][step.cell].append(step.at)

    def from_main(self, offsets: Iterable[int]) -> Tally:
        """Count the events of these main offsets that left a step, per org and destination."""
        return Counter(cell for offset in offsets for cell in self._steps.get(offset, ()))

    def from_tier(self, steps: Iterable[Step]) -> Tally:
        """Count the steps that another one follows, as far as the clocks of brokers can tell."""
        movers = Tally()
        for step in steps:
            if step.origin is None:
                movers[step.cell] += 1
            else:
                movers[step.cell] += sum(at >= step.at - SKEW for at in self._steps[step.origin][step.cell]) > 1
        return movers


def untraced(tile: Tile, movers: Tally) -> Tally:
    """Count per org and destination the moves a tile tells of that no event of its own can have made."""
    missing = Tally()
    for count in tile.counts:
        cell = (count.org, count.destination)
        missing[cell] = max(0, sum(count.tiers.values()) + sum(count.dead.values()) - movers[cell])
    return missing


def misread(tile: Tile, held: Mapping[str, int], *, once: bool) -> Mapping[str, tuple[int, int]]:
    """Return per org what a tile counts and what its offsets hold, where the two cannot both be true.

    A tier's record counts *once*. A main record counts once per destination, by routes that may have changed since:
    no destination can have more than the org has records, and all of them together no fewer.
    """
    most: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for count in tile.counts:
        total[count.org] += count.total
        most[count.org] = max(most[count.org], count.total)
    wrong: dict[str, tuple[int, int]] = {}
    for org in sorted({*total, *held}):
        there = held.get(org, 0)
        if total[org] < there or (total[org] if once else most[org]) > there:
            wrong[org] = (total[org], there)
    return wrong
