"""A volume: all tiles that are known of one log, the settled part of the chain added up into sheets.

The end of a chain can still change: a tile whose commit failed is passed over by the next one. So the newest tiles stay
as they are, and so does what the edge of the books may cut. Should a chain not run through a sheet after all, then the
volume has to be written anew, from tiles that stay loose.
"""

from collections.abc import Sequence
from itertools import dropwhile, takewhile
from math import inf

from headrace.core.chain import Chain, follow
from headrace.core.sheet import Piece, Sheet, moment
from headrace.model.tile import Tile

KEPT = 100
"""The newest tiles that stay loose."""


class Volume:
    """The tiles of one log, taken in the order in which they were written.

    Only tiles written after *since* (seconds since 1970; infinite: none) are added up, and none of the newest *kept*.
    *sources* are the partitions of the attempts topic that they stand in.
    """

    def __init__(self, since: float = -inf, kept: int = KEPT) -> None:
        self.sources: set[int] = set()
        self._since = since
        self.sheets: list[Sheet] = []
        self.loose: list[Tile] = []
        self.newest = -inf
        """When the youngest tile was written."""
        self._kept = kept
        self._fold_at = 2 * kept

    def add(self, tile: Tile) -> None:
        """Take one more tile."""
        self.loose.append(tile)
        self.newest = max(self.newest, moment(tile.at))
        if len(self.loose) >= self._fold_at:
            self._fold()
            # What is loose and stays so is not looked at again and again.
            self._fold_at = len(self.loose) + max(self._kept, len(self.loose) // 4)

    def chain(self, committed: int, named: str) -> Chain[Piece] | None:
        """Follow the chain back from a commit; None when it does not run through all sheets, as it should."""
        pieces: list[Piece] = [*self.sheets, *self.loose]
        chain = follow(committed, named, pieces)
        used = sum(isinstance(piece, Sheet) for piece in chain.tiles)
        lowest = min((sheet.first for sheet in self.sheets), default=inf)
        # A tile that is named and not there may stand within a sheet.
        is_sure = used == len(self.sheets) and not any(gap.is_named and gap.first > lowest for gap in chain.gaps)
        return chain if is_sure else None

    def _fold(self) -> None:
        """Add up what the newest tile follows on, but for the newest."""
        ready = dropwhile(lambda tile: not self._is_late(tile), self._run()[: -self._kept])
        folded = list(takewhile(self._is_late, ready))
        if not folded:
            return
        sheet = self._before(folded[0])
        if sheet is None:
            sheet = Sheet.of(folded[0])
            self.sheets.append(sheet)
            rest = folded[1:]
        else:
            rest = folded
        for tile in rest:
            sheet.add(tile)
        gone = {tile.id for tile in folded}
        self.loose = [tile for tile in self.loose if tile.id not in gone]

    def _is_late(self, tile: Tile) -> bool:
        return moment(tile.at) > self._since

    def _run(self) -> Sequence[Tile]:
        """Return the newest tile and those before it, without a gap, in order."""
        by_id = {tile.id: tile for tile in self.loose}
        run = [self.loose[-1]]
        while (tile := by_id.get(run[-1].previous or "")) and tile.first < tile.next == run[-1].first:
            run.append(tile)
        return run[::-1]

    def _before(self, tile: Tile) -> Sheet | None:
        """Return the sheet that *tile* follows on."""
        return next((each for each in self.sheets if each.id == tile.previous and each.next == tile.first), None)
