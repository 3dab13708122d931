"""The watermark: nothing is committed past what is settled and booked."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from headrace.core.offsets import Progress
from headrace.core.runs import DELIVERED, Chunk
from headrace.model.record import TopicPartition


def test_a_chunk_behind_an_open_one_waits() -> None:
    progress = Progress(TopicPartition("events", 0), 0, None)
    first, second = Chunk(progress.assignment, 0, 5, 5), Chunk(progress.assignment, 5, 9, 4)
    for chunk in (first, second):
        chunk.open = chunk.records
        progress.add(chunk)

    second.settle("acme", "crm", DELIVERED, 4)

    assert progress.next_settled() is None


def test_fates_are_counted_by_org_destination_and_kind() -> None:
    chunk = Chunk(Progress(TopicPartition("events", 0), 0, None).assignment, 0, 5, 5)
    chunk.open = 5
    chunk.settle("acme", "crm", DELIVERED, 3)
    chunk.settle("acme", "crm", ("tier", "5s"))
    chunk.settle("acme", "crm", ("tier", "5s"))

    assert chunk.open == 0
    assert chunk.fates == {("acme", "crm", DELIVERED): 3, ("acme", "crm", ("tier", "5s")): 2}


def test_what_goes_on_anew_still_knows_what_may_be_committed() -> None:
    """The commit before it may have failed; nobody else would ever make it."""
    progress = Progress(TopicPartition("events", 0), 0, None)
    progress.add(Chunk(progress.assignment, 0, 3, 3))
    progress.tile_written("t0")
    progress.tile_booked("t0")
    anew = progress.anew()

    assert (anew.next, anew.last_tile, anew.booked, anew.asked) == (3, "t0", (3, "t0"), None)
    assert anew.anew().place == (3, "t0")


class ProgressMachine(RuleBasedStateMachine):
    """Polls, settles out of order, writes tiles and acknowledges them, in any interleaving."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress(TopicPartition("events", 0), 0, None)
        self.chunks: list[Chunk] = []
        self.sent: list[tuple[str, int]] = []
        self.booked = 0
        self.committed = 0

    @rule(events=st.integers(1, 5))
    def poll(self, events: int) -> None:
        start = self.progress.next or 0
        chunk = Chunk(self.progress.assignment, start, start + events, events)
        chunk.open = events
        self.chunks.append(chunk)
        self.progress.add(chunk)

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        unsettled = [chunk for chunk in self.chunks if chunk.open]
        if unsettled:
            data.draw(st.sampled_from(unsettled)).settle("acme", "crm", DELIVERED)

    @rule()
    def write_tiles(self) -> None:
        while (chunk := self.progress.next_settled()) is not None:
            name = f"t{len(self.sent)}"
            self.progress.tile_written(name)
            self.sent.append((name, chunk.next))

    @rule()
    def acknowledge_one(self) -> None:
        if self.booked < len(self.sent):
            self.progress.tile_booked(self.sent[self.booked][0])
            self.booked += 1

    @rule()
    def commit(self) -> None:
        if self.progress.booked is not None:
            assert self.progress.booked == (self.sent[self.booked - 1][1], self.sent[self.booked - 1][0])
            self.committed = self.progress.booked[0]

    @invariant()
    def nothing_unsettled_is_committed(self) -> None:
        for chunk in self.chunks:
            assert not chunk.open or self.committed <= chunk.first


TestProgress = ProgressMachine.TestCase
