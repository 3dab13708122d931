"""The deep audit: reads every record, counts every tile again, and follows single events from topic to topic.

It needs the tiles themselves, and finds none in a sheet.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import inf

from headrace.core.columns import Account, Problem, Tally
from headrace.core.edge import SLACK
from headrace.core.ledger import Graves, Log
from headrace.core.report import Findings
from headrace.core.sheet import moment
from headrace.core.trail import Step, Trail, misread, untraced
from headrace.ledger.logs import Logs
from headrace.model.mark import NOBODY
from headrace.model.record import Record, TopicPartition
from headrace.model.tile import Tile
from headrace.wire.envelope import Bad, org_of, org_of_letter, read
from headrace.wire.letters import read_letter


class Depth:
    """Sounds one partition number after the other."""

    def __init__(self, logs: Logs) -> None:
        self.findings = Findings()
        self._logs = logs
        self._identities: set[int] = set()

    def sound(self, books: Account, main: Log, tiers: Sequence[Log], graves: Graves) -> None:
        """Read all records of one partition number, compare them with tiles and with one another, and mend *books*."""
        fresh = {record.offset(): self._owner_of(record) for record in self._read(main.topic, main.partition)}
        sounding = _Sounding(books, main, fresh)
        logs: list[Log | Graves] = [*tiers, graves]
        for log in logs:
            for record in self._read(log.topic, log.partition):
                sounding.take(record)
            sounding.note_start(log)
        sounding.compare(tiers)

    def _read(self, topic: str, number: int) -> Iterator[Record]:
        place = TopicPartition(topic, number)
        for record in self._logs.read(place, self._logs.held(place)):
            self.findings.records += 1
            yield record

    def _owner_of(self, record: Record) -> tuple[str, int]:
        """Return whose a main record is, and a fingerprint of its bytes; count its identity."""
        key, value = record.key(), record.value()
        envelope = read(value)
        if isinstance(envelope, Bad):
            return org_of_letter(key, envelope.reason), hash((key, value))
        identity = hash((envelope.source, envelope.id))
        if identity in self._identities:
            self.findings.repeated += 1
        else:
            self._identities.add(identity)
            self.findings.events += 1
        org = org_of(key, envelope.source)
        return org_of_letter(key, org.reason) if isinstance(org, Bad) else org, hash((key, value))


class _Sounding:
    """One partition number: *fresh* holds org and fingerprint of each record that the main topic holds."""

    def __init__(self, books: Account, main: Log, fresh: Mapping[int, tuple[str, int]]) -> None:
        self._books = books
        self._main = main
        self._fresh = fresh
        self._trail = Trail()
        self._steps: defaultdict[str, dict[int, Step]] = defaultdict(dict)
        self._complete_since = -inf

    def take(self, record: Record) -> None:
        """Take a record of a tier or of the dead topic, and check it against the one it says it comes from."""
        letter = read_letter(record)
        origin = letter.mark.origin if letter.mark else None
        is_ours = origin is not None and origin[:2] == (self._main.topic, self._main.partition)
        offset = origin.offset if origin and is_ours else None
        step = Step((letter.org, letter.destination), offset, record.timestamp()[1])
        self._steps[record.topic()][record.offset()] = step
        self._trail.add(step)
        known = None if offset is None else self._fresh.get(offset)
        if known is not None and letter.value is not None and known[1] != hash((letter.key, letter.value)):
            place = f"{record.topic()}/{record.partition()}"
            self._complain(letter.org, f"{place}: the record {record.offset()} is not the one at {origin}")

    def note_start(self, log: Log | Graves) -> None:
        """Where retention has deleted steps, only what came well after can be followed."""
        if log.start:
            oldest = min((step.at for step in self._steps[log.topic].values()), default=None)
            since = inf if oldest is None else oldest / 1000 + SLACK
            self._complete_since = max(self._complete_since, since)

    def compare(self, tiers: Sequence[Log]) -> None:
        """Compare every tile whose records are all held with them, and enter what was lost behind a copy."""
        missing = Tally()
        for tile, offsets in self._tiles(self._main):
            orgs = Counter(self._fresh[offset][0] for offset in offsets if offset in self._fresh)
            self._recount(self._main, tile, orgs, once=False)
            if moment(tile.at) > self._complete_since:
                missing += untraced(tile, self._trail.from_main(offsets))
        for log in tiers:
            held = self._steps[log.topic]
            for tile, offsets in self._tiles(log):
                steps = [held[offset] for offset in offsets if offset in held]
                self._recount(log, tile, Counter(step.cell[0] for step in steps), once=True)
                if moment(tile.at) > self._complete_since:
                    missing += untraced(tile, self._trail.from_tier(steps))
        self._enter_masked(missing)

    def _tiles(self, log: Log) -> Iterator[tuple[Tile, range]]:
        for tile in log.chain.tiles:
            if isinstance(tile, Tile) and tile.first >= log.start:
                yield tile, range(tile.first, tile.next)

    def _recount(self, log: Log, tile: Tile, held: Mapping[str, int], *, once: bool) -> None:
        for org, (counted, there) in misread(tile, held, once=once).items():
            text = f"{log}: the tile of the offsets {tile.first} to {tile.next - 1} counts {counted}, there are {there}"
            self._complain(org, f"{text} of the org {org}")
            if log is self._main and there > counted:
                self._books.cells[org, NOBODY].accepted += there - counted
                self._books.cells[org, NOBODY].lost += there - counted

    def _enter_masked(self, missing: Tally) -> None:
        """What is missing by id beyond what is missing by number was made up for by copies of something else."""
        for cell, records in missing.items():
            masked = records - self._books.cells[cell].lost
            if masked > 0:
                self._books.cells[cell].lost += masked
                self._books.cells[cell].duplicates += masked
                text = f"partition {self._main.partition}: lost behind copies of other events: {masked}"
                self._complain(cell[0], f"{text} of the org {cell[0]} for {cell[1]}")

    def _complain(self, org: str, text: str) -> None:
        self._books.problems.append(Problem(org, text))
