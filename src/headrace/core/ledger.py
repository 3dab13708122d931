"""The books of one partition number: its part of the main topic, of every tier, and of the dead topic.

A record keeps its partition number all its life, so the books of each number close by themselves. Every column is
counted from tiles, notes and records; none is computed from the others.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import inf

import msgspec

from headrace.core.chain import Chain, judge
from headrace.core.columns import Account, Cell, Problem, Tally
from headrace.core.compare import Slack, compare
from headrace.core.edge import SLACK, Edge, cut, edge_of
from headrace.core.sheet import Moves, Piece, Sheet, moment
from headrace.model.mark import NOBODY
from headrace.model.tile import RedriveNote
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
    chain: Chain[Piece]
    tail: Tally
    uncovered: Sequence[Tally] = ()

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


Deaths = Counter[tuple[float, Cell]]
"""Dead letters by the hour in which they died, in seconds since 1970, and whose they are."""


class Graves(msgspec.Struct, frozen=True, kw_only=True):
    """One partition of the dead topic: the offsets that it holds, and the letters there."""

    topic: str
    partition: int
    start: int
    next: int
    letters: Deaths

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
        self._deaths = Deaths()
        self._redriven_and_gone = 0

    def enter_log(self, log: Log) -> None:
        """Enter one partition of the main topic or of a tier."""
        sheets = cut(log.chain, self._edge)
        gone = self._enter_gaps(log)
        begin = min(log.start, log.committed)
        if len(sheets) < len(log.chain.tiles):
            begin = max(begin, sheets[0].first if sheets else log.committed)
        self._cells[NOBODYS].expired += begin - gone
        gone += self._enter_head(log)
        gone += sum(self._enter_sheet(log, sheet) for sheet in sheets)
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

    def _enter_sheet(self, log: Log, sheet: Sheet) -> int:
        """Enter one sheet, and return how many of its records it does not account for."""
        for cell, moves in sheet.cells.items():
            self._enter_held(log, cell, moves.total)
            self._enter_moves(cell, moves, sheet.oldest)
            if log.tier is not None and sheet.oldest <= self._edge.until + Duration.parse(log.tier):
                self._slack[log.tier].before[cell] += moves.total
        for unsaid in sheet.unsaid:
            text = f"{log}: the tile of the offsets {unsaid.first} to {unsaid.next - 1} does not say what became of"
            self._complain(NOBODY, f"{text} {unsaid.records} records")
        return sum(unsaid.records for unsaid in sheet.unsaid)

    def _enter_moves(self, cell: Cell, moves: Moves, at: float) -> None:
        """Enter what became of a sheet's records for one org and destination."""
        self._cells[cell].delivered += moves.delivered
        for tier, records in moves.tiers.items():
            self._enter_put(cell, tier, records, at)
        for died, records in moves.dead.items():
            self._dead_put[cell] += records
            self._deaths[died, cell] += records

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
        for (_, cell), letters in graves.letters.items():
            self._dead_held[cell] += letters
            self._cells[cell].rejected += letters
        for note in taken.values():
            at, cell = moment(note.at), (note.org, note.destination)
            if graves.start <= note.offset < graves.next:
                self._cells[cell].rejected -= 1
                self._cells[cell].accepted -= 1
            if at < self._edge.since:
                continue
            if note.offset < graves.start:
                self._redriven_and_gone += 1
                self._dead_held[cell] += 1
                self._cells[cell].accepted -= 1
            for record in note.records:
                made = (record.org, record.destination)
                self._cells[made].accepted += 1
                self._enter_put(made, record.tier, 1, at)

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
        for (died, cell), letters in graves.letters.items():
            if died <= self._edge.until:
                slack.before[cell] += letters
        oldest = min((died for died, _ in graves.letters), default=inf)
        for (died, cell), records in self._deaths.items():
            if died <= oldest + SLACK:
                slack.expired[cell] += records
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
