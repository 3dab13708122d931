"""A sheet: tiles of one log that follow one another, added up, so that books can be closed without any of them."""

from datetime import datetime
from math import inf

import msgspec

from headrace.core.columns import Cell
from headrace.model.tile import Tile

HOUR = 3600.0


class Moves(msgspec.Struct):
    """How the records of one org and destination ended: the dead ones by the hour in which they died."""

    delivered: int = 0
    tiers: dict[str, int] = {}
    dead: dict[float, int] = {}

    @property
    def total(self) -> int:
        """All of them."""
        return self.delivered + sum(self.tiers.values()) + sum(self.dead.values())


class Unsaid(msgspec.Struct, frozen=True):
    """A tile of the offsets `first` up to, not including, `next` that does not say what became of some records."""

    first: int
    next: int
    records: int


class Sheet(msgspec.Struct, kw_only=True):
    """The sum of tiles; a single tile is the smallest sheet.

    It covers the offsets `first` up to, not including, `next`. *id* is that of its last tile, *previous* names the
    tile before its first. *begun* is when its first tile was written, *oldest* the earliest moment of all of them, in
    seconds since 1970.
    """

    first: int
    next: int
    id: str
    previous: str | None
    begun: float
    oldest: float = inf
    cells: dict[Cell, Moves] = {}
    unsaid: list[Unsaid] = []

    @classmethod
    def of(cls, tile: Tile) -> "Sheet":
        """Begin a sheet with *tile*."""
        sheet = cls(first=tile.first, next=tile.first, id=tile.id, previous=tile.previous, begun=moment(tile.at))
        sheet.add(tile)
        return sheet

    def add(self, tile: Tile) -> None:
        """Add the tile that follows."""
        at = moment(tile.at)
        counted = 0
        for count in tile.counts:
            counted += count.total
            cell = (count.org, count.destination)
            moves = self.cells.get(cell)
            if moves is None:
                moves = self.cells[cell] = Moves()
            moves.delivered += count.delivered
            for tier, records in count.tiers.items():
                moves.tiers[tier] = moves.tiers.get(tier, 0) + records
            if count.dead:
                moves.dead[hour(at)] = moves.dead.get(hour(at), 0) + sum(count.dead.values())
        if counted < tile.records:
            self.unsaid.append(Unsaid(tile.first, tile.next, tile.records - counted))
        self.next, self.id = tile.next, tile.id
        self.oldest = min(self.oldest, at)


Piece = Tile | Sheet
"""What a chain is made of."""


def sheet_of(piece: Piece) -> Sheet:
    """Return *piece* as a sheet."""
    return piece if isinstance(piece, Sheet) else Sheet.of(piece)


def moment(text: str) -> float:
    """Read a document's time: seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def hour(at: float) -> float:
    """Return when the hour of a moment began, both in seconds since 1970."""
    return at // HOUR * HOUR
