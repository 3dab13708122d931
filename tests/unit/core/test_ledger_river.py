"""The books close over a model river, whatever crashes, comes late or is redriven, and at every moment of it."""

from collections import Counter, deque
from collections.abc import Iterator
from itertools import cycle, islice

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from headrace.core.chain import follow, judge
from headrace.core.columns import Account, Cell, Tally
from headrace.core.ledger import Deaths, Graves, Log, balance
from headrace.model.tile import Count, Redriven, RedriveNote, Tile

MAIN = "events"
TIERS = ("5s", "1m")
LOGS = (MAIN, *TIERS)
ROUTES = {"a": ("x", "y"), "b": ("x",), "c": (), "-": ()}
FATES = ("delivered", *TIERS, "dead")
LEAVE = st.sampled_from([0, 0, 1])
ENDS = st.sampled_from([2, 2, 2, 1, 0])
AT = "2026-11-23T10:00:00.000Z"


def cells_of(org: str) -> list[Cell]:
    return [(org, destination) for destination in ROUTES[org]] or [(org, "-")]


class Chunk:
    def __init__(self, first: int, cells: list[list[Cell]]) -> None:
        self.first = first
        self.next = first + len(cells)
        self.open = [cell for record in cells for cell in record]
        self.counts: dict[Cell, Count] = {}


class Worker:
    """Where one worker stands; a crashed one goes on in its own mind, and may write tiles late."""

    def __init__(self, name: str, committed: dict[str, tuple[int, str]]) -> None:
        self.name = name
        self.written = 0
        self.place = {log: offset for log, (offset, _) in committed.items()}
        self.last = {log: tile or None for log, (_, tile) in committed.items()}
        self.chunks: dict[str, deque[Chunk]] = {log: deque() for log in LOGS}
        self.booked: dict[str, tuple[int, str]] = {}


class River(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.logs: dict[str, list[list[Cell]]] = {log: [] for log in LOGS}
        self.starts = dict.fromkeys(LOGS, 0)
        self.dead: list[Cell] = []
        self.tiles: list[Tile] = []
        self.notes: list[RedriveNote] = []
        self.committed = dict.fromkeys(LOGS, (0, ""))
        self.worker = Worker("w0", self.committed)
        self.zombies: list[Worker] = []
        self.copies = 0

    @rule(orgs=st.lists(st.sampled_from(sorted(ROUTES)), min_size=1, max_size=4))
    def emit(self, orgs: list[str]) -> None:
        self.logs[MAIN] += [cells_of(org) for org in orgs]

    @rule(log=st.sampled_from(LOGS), most=st.integers(1, 3))
    def poll(self, log: str, most: int) -> None:
        place = self.worker.place[log]
        records = self.logs[log][place : place + most]
        if records:
            self.worker.place[log] += len(records)
            self.worker.chunks[log].append(Chunk(place, records))

    @rule(log=st.sampled_from(LOGS), fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=4), leave=LEAVE)
    def settle(self, log: str, fates: list[str], leave: int) -> None:
        """Settle the first open chunk but for what is left open; what belongs to nobody can only die."""
        chunk = next((chunk for chunk in self.worker.chunks[log] if chunk.open), None)
        if chunk is not None:
            for fate in islice(cycle(fates), max(0, len(chunk.open) - leave)):
                cell = chunk.open.pop()
                self._settle_one(chunk, cell, "dead" if cell[1] == "-" else fate)

    @rule(log=st.sampled_from(LOGS), fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=4), ends=ENDS)
    def work(self, log: str, fates: list[str], ends: int) -> None:
        """One turn of a worker, up to the commit or to some step before it."""
        self.poll(log, 3)
        self.settle(log, fates, 0)
        if ends > 0:
            self.book(log, late=False)
        if ends > 1:
            self.commit(log)

    def _settle_one(self, chunk: Chunk, cell: Cell, fate: str) -> None:
        count = chunk.counts.setdefault(cell, Count(org=cell[0], destination=cell[1], tiers={}, dead={}))
        if fate == "delivered":
            count.delivered += 1
        elif fate == "dead":
            self.dead.append(cell)
            count.dead["rejected"] = count.dead.get("rejected", 0) + 1
        else:
            self.logs[fate].append([cell])
            count.tiers[fate] = count.tiers.get(fate, 0) + 1

    @rule(log=st.sampled_from(LOGS), late=st.booleans())
    def book(self, log: str, late: bool) -> None:
        worker = self.zombies[-1] if late and self.zombies else self.worker
        if not worker.chunks[log] or worker.chunks[log][0].open:
            return
        chunk = worker.chunks[log].popleft()
        worker.written += 1
        tile = Tile(
            id=f"{worker.name}-{worker.written}",
            previous=worker.last[log],
            topic=log,
            partition=0,
            first=chunk.first,
            next=chunk.next,
            records=chunk.next - chunk.first,
            at=AT,
            counts=list(chunk.counts.values()),
        )
        self.tiles.append(tile)
        worker.last[log] = tile.id
        worker.booked[log] = (chunk.next, tile.id)

    @rule(log=st.sampled_from(LOGS))
    def commit(self, log: str) -> None:
        self.committed[log] = self.worker.booked.get(log, self.committed[log])

    @rule()
    def crash(self) -> None:
        self.zombies.append(self.worker)
        self.worker = Worker(f"w{len(self.zombies)}", self.committed)

    @precondition(lambda self: self.dead)
    @rule(which=st.integers(0, 100), dies_between=st.booleans())
    def redrive(self, which: int, dies_between: bool) -> None:
        """Put a letter on the first tier, then note it; one that belongs to nobody is routed anew to two."""
        offset = which % len(self.dead)
        cell = self.dead[offset]
        made = [("a", "x"), ("a", "y")] if cell[1] == "-" else [cell]
        self.logs[TIERS[0]] += [[one] for one in made]
        if dies_between or any(note.offset == offset for note in self.notes):
            self.copies += len(made)
        if not dies_between:
            records = [Redriven(org=org, destination=to, tier=TIERS[0]) for org, to in made]
            org, destination = cell
            self.notes.append(
                RedriveNote(
                    topic="dead", partition=0, offset=offset, org=org, destination=destination, at=AT, records=records
                )
            )

    @rule(log=st.sampled_from(LOGS), most=st.integers(1, 5))
    def expire(self, log: str, most: int) -> None:
        """Retention deletes what was settled."""
        self.starts[log] = max(self.starts[log], min(self.committed[log][0], self.starts[log] + most))

    def audit(self, without: str = "", head: int = 0) -> Account:
        """Close the books, leaving out one tile, or deleting *head* records of the main topic past its commit."""
        logs = {log: self._log(log, without, head if log == MAIN else 0) for log in LOGS}
        letters = Deaths((0.0, cell) for cell in self.dead)
        graves = Graves(topic="dead", partition=0, start=0, next=len(self.dead), letters=letters)
        return balance(logs[MAIN], [logs[tier] for tier in TIERS], graves, self.notes)

    def _log(self, log: str, without: str, head: int) -> Log:
        committed, named = self.committed[log]
        start = committed + head if head else self.starts[log]
        chain = follow(committed, named, [tile for tile in self.tiles if tile.topic == log and tile.id != without])
        held = [judge(gap, start).held for gap in chain.gaps]
        return Log(
            topic=log,
            partition=0,
            tier=None if log == MAIN else log,
            start=start,
            committed=committed,
            chain=chain,
            tail=self._tally(log, range(max(start, committed), len(self.logs[log]))),
            uncovered=[self._tally(log, part) for part in held],
        )

    def _tally(self, log: str, offsets: range) -> Tally:
        return Counter(cell for record in self.logs[log][offsets.start : offsets.stop] for cell in record)

    def counting(self) -> Iterator[Tile]:
        for log in LOGS:
            yield from follow(*self.committed[log], [tile for tile in self.tiles if tile.topic == log]).tiles

    @invariant()
    def closes(self) -> None:
        account = self.audit()
        total = account.total()
        redriven: dict[int, RedriveNote] = {}
        for note in self.notes:
            redriven.setdefault(note.offset, note)

        assert total.is_balanced
        assert all(columns.is_balanced for columns in account.cells.values())
        assert not account.problems
        emitted = sum(len(record) for record in self.logs[MAIN])
        assert total.accepted == emitted + sum(len(note.records) - 1 for note in redriven.values())
        assert total.rejected == len(self.dead) - len(redriven)
        assert total.duplicates >= 0
        assert total.in_flight == sum(len(record) for record in self.logs[MAIN][self.committed[MAIN][0] :])
        assert total.retrying == sum(len(self.logs[tier]) - self.committed[tier][0] for tier in TIERS)
        assert total.expired == sum(self.starts.values())

    @invariant()
    def counts_no_duplicates_in_calm(self) -> None:
        """Without a crash, and with all that was polled committed, only redrives that died half-way leave copies."""
        is_quiet = all(self.committed[log][0] == self.worker.place[log] for log in LOGS)
        if is_quiet and not self.zombies:
            assert self.audit().total().duplicates == self.copies

    @rule(which=st.integers(0, 100))
    def delete_a_tile(self, which: int) -> None:
        """Deleting any counting tile whose records are still held shows as lost."""
        tiles = [tile for tile in self.counting() if tile.next > self.starts[tile.topic]]
        if tiles:
            total = self.audit(without=tiles[which % len(tiles)].id).total()
            assert total.lost > 0
            assert not total.is_balanced

    @rule(head=st.integers(1, 4))
    def delete_unsettled(self, head: int) -> None:
        """What is deleted before it was settled is lost, record by record."""
        head = min(head, len(self.logs[MAIN]) - self.committed[MAIN][0])
        if head:
            assert self.audit(head=head).total().lost == head


TestRiver = River.TestCase
TestRiver.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
