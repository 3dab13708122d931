"""Progress across assignments: workers die, stay away and come back, tiles are refused and sent again, and still no
commit goes past what is not settled, none goes back, and from each the chain of tiles leads to the beginning.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from headrace.core.offsets import Progress
from headrace.core.runs import DELIVERED, Chunk
from headrace.model.record import TopicPartition

PARTITION = TopicPartition("events", 0)


class Worker:
    """One assignment of the partition, and what it has under way."""

    def __init__(self, following: int | None, last_tile: str | None) -> None:
        self.progress = Progress(PARTITION, following, last_tile)
        self.chunks: list[Chunk] = []
        self.unwritten: list[tuple[str, str | None]] = []
        """Tiles on their way, each with the one that it names as its predecessor."""
        self.written: list[str] = []
        """Tiles in the log, whose acknowledgement is on its way."""


class Assignments(RuleBasedStateMachine):
    """One partition, the worker that has it, and one that had it and does not know better."""

    def __init__(self) -> None:
        super().__init__()
        self.tiles: dict[str, tuple[str | None, int]] = {}
        """The log of tiles: the predecessor and the end of each."""
        self.ends: dict[str, int] = {}
        self.settled: set[int] = set()
        self.committed: tuple[int, str] | None = None
        self.named = 0
        self.owner = Worker(None, None)
        self.former: Worker | None = None

    @rule(chunks=st.lists(st.integers(1, 4), min_size=1, max_size=3), owed=st.integers(1, 3))
    def poll(self, chunks: list[int], owed: int) -> None:
        for events in chunks:
            first = self.owner.progress.next or 0
            chunk = Chunk(self.owner.progress.assignment, first, first + events, events)
            chunk.open = events * owed
            self.owner.progress.add(chunk)
            self.owner.chunks.append(chunk)

    @rule(data=st.data(), most=st.sampled_from((1, 2, 12)))
    def settle(self, data: st.DataObject, most: int) -> None:
        """Of any chunk, also of one whose assignment is over: that settles nothing for its successor."""
        workers = [self.owner, *([self.former] if self.former else [])]
        chunks = [chunk for worker in workers for chunk in worker.chunks if chunk.open]
        if chunks:
            chunk = data.draw(st.sampled_from(chunks))
            self._settle(chunk, min(most, chunk.open))

    def _settle(self, chunk: Chunk, events: int) -> None:
        chunk.settle("acme", "crm", DELIVERED, events)
        if not chunk.open:
            self.settled |= set(range(chunk.first, chunk.next))

    @rule(all_of_it=st.booleans())
    def write_tiles(self, all_of_it: bool) -> None:
        """Of what has settled, or of all that was polled, which settles now."""
        for polled in self.owner.chunks if all_of_it else ():
            self._settle(polled, polled.open)
        progress = self.owner.progress
        while (chunk := progress.next_settled()) is not None:
            assert not chunk.open
            self.named += 1
            tile = f"t{self.named}"
            self.owner.unwritten.append((tile, progress.last_tile))
            self.ends[tile] = chunk.next
            progress.tile_written(tile)

    @precondition(lambda self: self.owner.unwritten)
    @rule(refused=st.sets(st.integers(0, 2)))
    def send(self, refused: set[int]) -> None:
        """The broker takes them, but for those that are sent again later."""
        sent, self.owner.unwritten = self.owner.unwritten, []
        for place, (tile, previous) in enumerate(sent):
            if place in refused:
                self.owner.unwritten.append((tile, previous))
            else:
                self.tiles[tile] = (previous, self.ends[tile])
                self.owner.written.append(tile)

    @rule(acknowledged=st.integers(0, 3))
    def commit(self, acknowledged: int) -> None:
        """After some more acknowledgements."""
        for _ in range(min(acknowledged, len(self.owner.written))):
            self.owner.progress.tile_booked(self.owner.written.pop(0))
        booked = self.owner.progress.booked
        if booked is not None:
            assert self.committed is None or booked[0] >= self.committed[0], "a commit went back"
            self.committed = booked

    @rule(is_lost=st.booleans())
    def move(self, is_lost: bool) -> None:
        """The partition goes to another worker; what the former had on the wire arrives, or is lost with it."""
        self.former = self.owner
        for tile, previous in [] if is_lost else self.former.unwritten:
            self.tiles[tile] = (previous, self.ends[tile])
        self.owner = Worker(*(self.committed or (None, None)))

    @invariant()
    def all_before_the_commit_is_settled(self) -> None:
        if self.committed is not None:
            assert self.settled >= set(range(self.committed[0]))

    @invariant()
    def the_chain_of_tiles_closes(self) -> None:
        if self.committed is None:
            return
        end, tile = self.committed
        assert self.tiles[tile][1] == end
        while (previous := self.tiles[tile][0]) is not None:
            tile = previous


TestAssignments = Assignments.TestCase
TestAssignments.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
