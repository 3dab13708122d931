"""Where the books of a partition begin, once retention has deleted their oldest pages.

Tiles expire a segment at a time, each topic's at its own moment. So that what one tile puts on a tier is not missed
where another tile takes it from there, the books of a partition begin at one moment for all of its topics: that of
the youngest of their oldest tiles. What was under way at that moment appears on one side only; it is let off within
`SLACK`, and no further, so that a loss is still a loss a fortnight later.
"""

from collections.abc import Sequence
from math import inf

import msgspec

from headrace.core.chain import Chain, judge
from headrace.core.sheet import Piece, Sheet, sheet_of

SLACK = 3600.0
"""Seconds in which a chunk is certainly settled and booked, and clocks of workers agree."""


class Edge(msgspec.Struct, frozen=True):
    """The books begin at `since`; what happened up to `until` may have its other half before. Seconds since 1970."""

    since: float = -inf
    until: float = -inf


def edge_of(logs: Sequence[tuple[Chain[Piece], int]]) -> Edge:
    """Find where the books begin, from each topic's chain and the offset at which its log starts."""
    aged = [chain for chain, start in logs if any(judge(gap, start).expired for gap in chain.gaps)]
    if not aged:
        return Edge()
    since = max((sheet_of(chain.tiles[0]).begun for chain in aged if chain.tiles), default=-inf)
    return Edge(since, since + SLACK if all(chain.tiles for chain in aged) else inf)


def cut(chain: Chain[Piece], edge: Edge) -> Sequence[Sheet]:
    """Return what *chain* is made of from the edge on."""
    sheets = [sheet_of(piece) for piece in chain.tiles]
    kept = 0
    if edge.since > -inf:
        while kept < len(sheets) and sheets[kept].oldest < edge.since:
            kept += 1
    return sheets[kept:]
