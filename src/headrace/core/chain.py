"""Which tiles count: those in the chain that ends at the group's committed offset (design, section 3.5)."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from headrace.core.sheet import Piece

P = TypeVar("P", bound=Piece)
P_co = TypeVar("P_co", bound=Piece, covariant=True)


class Gap(msgspec.Struct, frozen=True):
    """Offsets `first` up to, not including, `next`, before the committed one, that no counting tile covers.

    *is_opening* says that no counting tile stands before it, *is_named* that a tile once covered it: its successor,
    or the commit, names one that is not there.
    """

    first: int
    next: int
    is_opening: bool = False
    is_named: bool = False


class Chain(msgspec.Struct, Generic[P_co], frozen=True):
    """The counting tiles of one partition, some of them added up, and the gaps between them, both ascending."""

    tiles: Sequence[P_co]
    gaps: Sequence[Gap] = ()


class Uncovered(msgspec.Struct, frozen=True):
    """What a gap is, given where the log starts: records that expired, that are gone, and offsets still held."""

    expired: int
    gone: int
    held: range


def follow(committed: int, named: str, tiles: Sequence[P]) -> Chain[P]:
    """Follow the chain back from the *committed* offset, whose commit *named* a tile (or none: an empty text).

    *tiles* are all that are known of the partition, in the order they were written. Where a named tile is not there,
    the chain goes on with the latest tile that ends before it; that tile held at least one record, so some offset
    stays uncovered whatever a frozen worker wrote over the place.
    """
    by_id = {tile.id: tile for tile in tiles}
    by_next = sorted((tile for tile in tiles if tile.first < tile.next), key=lambda tile: tile.next)
    ends = [tile.next for tile in by_next]
    chain: list[P] = []
    gaps: list[Gap] = []
    upto, name = committed, named or None
    while upto > 0:
        tile = by_id.get(name) if name else None
        is_named = name is not None and tile is None
        if tile is None or tile.next > upto or tile.first >= tile.next:
            place = bisect_right(ends, upto - 1 if is_named else upto)
            tile = by_next[place - 1] if place else None
        if tile is None:
            gaps.append(Gap(0, upto, is_opening=True, is_named=is_named))
            break
        if tile.next < upto:
            gaps.append(Gap(tile.next, upto, is_named=is_named))
        chain.append(tile)
        upto, name = tile.first, tile.previous
    return Chain(chain[::-1], gaps[::-1])


def judge(gap: Gap, start: int) -> Uncovered:
    """Tell what became of a gap's offsets, in a log that starts at *start*.

    Tiles are kept twice as long as events: where the oldest ones are gone, and the records with them, both have
    expired. A gap that no tile ever covered, or one between tiles, is no work of time.
    """
    below = max(0, min(gap.next, start) - gap.first)
    is_old = gap.is_opening and gap.is_named
    return Uncovered(below if is_old else 0, 0 if is_old else below, range(max(gap.first, start), max(gap.next, start)))
