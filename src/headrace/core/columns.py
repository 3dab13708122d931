"""The columns of the books, per org and destination, and how they are summed."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping

import msgspec

from headrace.model.mark import NOBODY

Cell = tuple[str, str]
"""An org and a destination; `-` where there is none."""

Tally = Counter[Cell]
"""Records per org and destination."""


class Columns(msgspec.Struct):
    """One line of the books. Each column is counted on its own; `expired` stands outside the sum."""

    accepted: int = 0
    delivered: int = 0
    rejected: int = 0
    retrying: int = 0
    in_flight: int = 0
    retried: int = 0
    lost: int = 0
    duplicates: int = 0
    expired: int = 0

    @property
    def is_balanced(self) -> bool:
        """Nothing is lost, and what came in is where it should be."""
        return self.lost == 0 and (
            self.accepted + self.duplicates == self.delivered + self.rejected + self.retrying + self.in_flight
        )

    def add(self, other: "Columns") -> None:
        """Add *other*, column by column."""
        for column in self.__struct_fields__:
            setattr(self, column, getattr(self, column) + getattr(other, column))


class Problem(msgspec.Struct, frozen=True):
    """A sentence that says what is wrong where, and the org that it is about (`-`: nobody knows)."""

    org: str
    text: str


class Account(msgspec.Struct):
    """The books of one partition, or of all: columns by org and destination, and what is wrong."""

    cells: defaultdict[Cell, Columns] = msgspec.field(default_factory=lambda: defaultdict(Columns))
    problems: list[Problem] = []

    def add(self, other: "Account") -> None:
        """Add the books of another partition."""
        for cell, columns in other.cells.items():
            self.cells[cell].add(columns)
        self.problems += other.problems

    def of(self, org: str) -> "Account":
        """Return the columns of *org*, and the problems that are its own or may be anybody's."""
        return Account(
            defaultdict(Columns, {cell: columns for cell, columns in self.cells.items() if cell[0] == org}),
            [problem for problem in self.problems if problem.org in {org, NOBODY}],
        )

    def total(self) -> Columns:
        """Sum all cells."""
        return _sum(self.cells.values())

    def by_org(self) -> Mapping[str, Columns]:
        """Sum the cells of each org."""
        return self._by(lambda cell: cell[0])

    def by_destination(self) -> Mapping[str, Columns]:
        """Sum the cells of each destination."""
        return self._by(lambda cell: cell[1])

    def _by(self, name: Callable[[Cell], str]) -> Mapping[str, Columns]:
        groups: dict[str, list[Columns]] = {}
        for cell in sorted(self.cells):
            if self.cells[cell] != Columns():
                groups.setdefault(name(cell), []).append(self.cells[cell])
        return {name: _sum(groups[name]) for name in sorted(groups)}


def _sum(lines: Iterable[Columns]) -> Columns:
    total = Columns()
    for line in lines:
        total.add(line)
    return total
