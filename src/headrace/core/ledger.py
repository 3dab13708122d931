"""The books of one partition number: its part of the main topic, of every tier, and of the dead topic.

A record keeps its partition number all its life, so the books of each number close by themselves. Every column is
counted from tiles, notes and records; none is computed from the others.
"""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from headrace.core.chain import Chain, judge
from headrace.core.columns import Account, Cell, Problem, Tally
from headrace.core.compare import Slack, compare
from headrace.core.edge import SLACK, Edge, cut, edge_of, moment
from headrace.model.mark import NOBODY
from headrace.model.tile import Count, RedriveNote, Tile
from headrace.model.units import Duration

NOBODYS: Cell = (NOBODY, NOBODY)


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """One partition of the main topic, or of the *tier* of that delay, as it was found.

    *tail* counts the records from the committed offset on, *uncovered* those that each gap of the chain still holds.
    """

    topic: str
    partition: int
    tier: str | None = None
    start: int
    committed: int
    chain: Chain
    tail: Tally
    uncovered: Sequence[Tally] = ()

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Letter(msgspec.Struct, frozen=True):
    """A record of the dead topic: its offset, whose it is, and when it died, in seconds since 1970."""

    offset: int
    cell: Cell
    died: float


class Graves(msgspec.Struct, frozen=True, kw_only=True):
    """One partition of the dead topic: where its log starts, and what it holds, in order."""

    topic: str
    partition: int
    start: int
    letters: Sequence[Letter]

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


def balance(main: Log, tiers: Sequence[Log], graves: Graves, notes: Sequence[RedriveNote]) -> Account:
    """Close the books of one partition number. *notes* are those about its dead letters, in the order written."""
    books = _Books(edge_of([(log.chain, log.start) for log in (main, *tiers)]))
    for log in (main, *tiers):
        books.enter_log(log)
    books.enter_letters(graves, notes)
    books.close(tiers, graves)
    return books.account


class _Books:
    """What was put where, and what is held there, while the pages are read."""

    def __init__(self, edge: Edge) -> None:
        self.account = Account()
        self._cells = self.account.cells
        self._edge = edge
        self._put: dict[str, Tally] = defaultdict(Tally)
        self._held: dict[str, Tally] = defaultdict(Tally)
        self._slack: dict[str, Slack] = defaultdict(Slack)
        self._gone: dict[str, int] = defaultdict(int)
        self._dead_put = Tally()
        self._dead_held = Tally()
        self._deaths: list[tuple[float, Cell, int]] = []
        self._redriven_and_gone = 0

    def enter_log(self, log: Log) -> None:
        """Enter one partition of the main topic or of a tier."""
        tiles = cut(log.chain, self._edge)
        gone = self._enter_gaps(log)
        begin = min(log.start, log.committed)
        if len(tiles) < len(log.chain.tiles):
            begin = max(begin, tiles[0].first if tiles else log.committed)
        self._cells[NOBODYS].expired += begin - gone
        gone += self._enter_head(log)
        gone += sum(self._enter_tile(log, tile) for tile in tiles)
        for cell, records in log.tail.items():
            self._enter_held(log, cell, records)
            if log.tier is None:
                self._cells[cell].in_flight += records
            else:
                self._cells[cell].retrying += records
        for tally in log.uncovered:
            for cell, records in tally.items():
                self._enter_held(log, cell, records)
                self._cells[cell].lost += records
        if log.tier is not None:
            self._gone[log.tier] += gone
        elif gone:
            self._cells[NOBODYS].accepted += gone
            self._cells[NOBODYS].lost += gone

    def _enter_held(self, log: Log, cell: Cell, records: int) -> None:
        """What a tier holds was put there by somebody; what the main topic holds is accepted."""
        if log.tier is None:
            self._cells[cell].accepted += records
        else:
            self._held[log.tier][cell] += records

    def _enter_tile(self, log: Log, tile: Tile) -> int:
        """Enter one tile, and return how many of its records it does not account for."""
        at = moment(tile.at)
        counted = 0
        for count in tile.counts:
            cell = (count.org, count.destination)
            counted += count.total
            self._enter_held(log, cell, count.total)
            self._enter_moves(cell, count, at)
            if log.tier is not None and at <= self._edge.until + Duration.parse(log.tier):
                self._slack[log.tier].before[cell] += count.total
        missing = max(0, tile.records - counted)
        if missing:
            text = f"{log}: the tile of the offsets {tile.first} to {tile.next - 1} does not say what became of"
            self._complain(NOBODY, f"{text} {missing} records")
        return missing

    def _enter_moves(self, cell: Cell, count: Count, at: float) -> None:
        """Enter what became of a tile's records for one org and destination."""
        self._cells[cell].delivered += count.delivered
        for tier, records in count.tiers.items():
            self._enter_put(cell, tier, records, at)
        died = sum(count.dead.values())
        if died:
            self._dead_put[cell] += died
            self._deaths.append((at, cell, died))

    def _enter_put(self, cell: Cell, tier: str, records: int, at: float) -> None:
        self._put[tier][cell] += records
        self._cells[cell].retried += records
        if at <= self._edge.until:
            self._slack[tier].expired[cell] += records

    def _enter_gaps(self, log: Log) -> int:
        """Name the gaps; return how many records in them nobody can read any more."""
        gone = 0
        for gap, held in zip(log.chain.gaps, log.uncovered, strict=True):
            deleted = judge(gap, log.start).gone
            gone += deleted
            if deleted or held:
                self._complain(NOBODY, f"{log}: no counting tile covers the offsets {gap.first} to {gap.next - 1}")
        return gone

    def _enter_head(self, log: Log) -> int:
        """Name what was deleted from the log's head before it was settled; return how many records that are."""
        deleted = max(0, log.start - log.committed)
        if deleted:
            text = f"{log}: the offsets {log.committed} to {log.start - 1} were deleted before they were settled"
            self._complain(NOBODY, text)
        return deleted

    def enter_letters(self, graves: Graves, notes: Sequence[RedriveNote]) -> None:
        """Enter the dead letters, and what redrives made of them; of two notes about one letter the first counts."""
        taken: dict[int, RedriveNote] = {}
        for note in notes:
            taken.setdefault(note.offset, note)
        for letter in graves.letters:
            self._dead_held[letter.cell] += 1
            if letter.offset in taken:
                self._cells[letter.cell].accepted -= 1
            else:
                self._cells[letter.cell].rejected += 1
        for note in taken.values():
            at = moment(note.at)
            if at < self._edge.since:
                continue
            if note.offset < graves.start:
                self._redriven_and_gone += 1
                self._dead_held[note.org, note.destination] += 1
                self._cells[note.org, note.destination].accepted -= 1
            for record in note.records:
                cell = (record.org, record.destination)
                self._cells[cell].accepted += 1
                self._enter_put(cell, record.tier, 1, at)

    def close(self, tiers: Sequence[Log], graves: Graves) -> None:
        """Compare what was put on each tier and into the dead topic with what is held there."""
        names = {log.tier: str(log) for log in tiers}
        for tier in sorted({*self._put, *self._held, *self._gone}):
            place = names.get(tier, f"the tier {tier} of partition {graves.partition}, which has no topic")
            gone = self._gone[tier]
            self._compare(place, self._put[tier], self._held[tier], self._slack[tier], gone)
        slack = self._dead_slack(graves)
        expired = self._compare(str(graves), self._dead_put, self._dead_held, slack, 0)
        self._cells[NOBODYS].expired += max(0, graves.start - self._redriven_and_gone - expired)

    def _dead_slack(self, graves: Graves) -> Slack:
        """What retention deleted from the dead topic died before the oldest letter that is held, or about then."""
        slack = Slack(at_most=max(0, graves.start - self._redriven_and_gone))
        slack.before.update(letter.cell for letter in graves.letters if letter.died <= self._edge.until)
        oldest = min((letter.died for letter in graves.letters), default=None)
        for at, cell, died in self._deaths:
            if oldest is None or at <= oldest + SLACK:
                slack.expired[cell] += died
        return slack

    def _compare(self, place: str, put: Tally, held: Tally, slack: Slack, gone: int) -> int:
        """Enter the differences of one place; return how many of its records have expired."""
        expired = unexplained = 0
        for cell, difference in compare(put, held, slack).items():
            columns = self._cells[cell]
            columns.accepted += difference.before - difference.expired
            columns.duplicates += difference.more
            columns.expired += difference.expired
            columns.lost += difference.less
            expired += difference.expired
            unexplained += difference.less
            if difference.less:
                text = f"{place}: missing records of the org {cell[0]} for {cell[1]}: {difference.less}"
                self._complain(cell[0], text)
        # What was deleted unread is known by number, not by org. Most of it has just been missed; the rest was
        # never counted as put there, so it is a copy as well.
        uncounted = max(0, gone - unexplained)
        if uncounted:
            self._cells[NOBODYS].lost += uncounted
            self._cells[NOBODYS].duplicates += uncounted
        return expired

    def _complain(self, org: str, text: str) -> None:
        self.account.problems.append(Problem(org, text))
