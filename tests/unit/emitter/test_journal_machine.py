"""The journal against a list: whatever processes, kills and a bad disk do, nothing whole is lost, and all is tidied."""

import shutil
import tempfile
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from emitting import Emitting, ObedientProducer
from headrace.emitter import claim
from headrace.emitter.backlog import Backlog
from headrace.emitter.segment import Segment
from headrace.errors import BrokerError, BrokerUnavailable
from headrace.wire.journal import encode

PLACES = st.integers(0, 1 << 20)
GONE = BrokerUnavailable("gone")
PROCESSES = st.integers(0, 2)


class JournalMachine(RuleBasedStateMachine):
    """The model: which frames were taken, which Kafka has, and which the disk has damaged in every place they stood."""

    def __init__(self) -> None:
        super().__init__()
        self._names = pytest.MonkeyPatch()
        numbers = count()
        self._names.setattr(claim, "uuid4", lambda: UUID(int=next(numbers)))  # a failure then repeats
        self.directory = Path(tempfile.mkdtemp(prefix="journal-"))
        self.living: list[Emitting] = []
        self.taken: dict[bytes, bytes] = {}
        self.acknowledged: set[bytes] = set()
        self.damaged: set[bytes] = set()

    @precondition(lambda self: len(self.living) < 3)
    @rule()
    def start(self) -> None:
        """A process starts, and claims what it finds without an owner."""
        self.living.append(Emitting(self.directory, ObedientProducer()))
        self.living[-1].carriage.step(0)

    @precondition(lambda self: self.living)
    @rule(which=PROCESSES, count=st.integers(1, 30), size=st.sampled_from([1, 90, 3000]))
    def emit(self, which: int, count: int, size: int) -> None:
        process = self._process(which)
        for _ in range(count):
            value = b'{"id":"%08d","text":"%s"}' % (len(self.taken), b"x" * size)
            assert process.intake.take_journaled(b"o/s", value)
            self.taken[value] = encode(b"t", b"o/s", value)

    @precondition(lambda self: self.living)
    @rule(which=PROCESSES, room=st.integers(0, 200), seconds=st.sampled_from([0.01, 1.1, 11]))
    def step(self, which: int, room: int, seconds: float) -> None:
        """The courier moves on: reads along, looks for orphans, tidies up."""
        process = self._process(which)
        process.producer.room = room
        process.pass_(seconds)

    @precondition(lambda self: self.living)
    @rule(which=PROCESSES, answers=st.lists(st.tuples(PLACES, st.sampled_from([None, GONE])), max_size=60))
    def answer(self, which: int, answers: list[tuple[int, BrokerError | None]]) -> None:
        """Kafka acknowledges, or does not take, some of what is under way, in any order."""
        producer = self._process(which).producer
        for place, error in answers[: len(producer.held)]:
            producer.tell(place % len(producer.held), error)
        self.acknowledged.update(producer.acknowledged)

    @precondition(lambda self: self.living)
    @rule(which=PROCESSES)
    def rotate(self, which: int) -> None:
        self._process(which).journal.seal()

    @precondition(lambda self: self.living)
    @rule(which=PROCESSES)
    def close(self, which: int) -> None:
        self._end(which).carriage.finish()

    @precondition(lambda self: self.living)
    @rule(which=PROCESSES, torn=st.integers(0, 60))
    def crash(self, which: int, torn: int) -> None:
        """Kill a process while it writes: *torn* bytes of a frame are there, and the emit has not returned."""
        process = self._end(which)
        process.kill()
        own = sorted(self.directory.glob(f"{process.part}-*.seg"))
        if own:
            with own[-1].open("ab") as file:
                file.write(encode(b"t", b"o/s", b"an emit that did not return, of which a part is there")[:torn])

    @rule(which=PLACES, at=PLACES, mask=st.integers(1, 255))
    def flip(self, which: int, at: int, mask: int) -> None:
        """Flip bits anywhere, also below a living process."""
        if segment := self._segment(which):
            with segment.open("r+b") as file:
                place = at % segment.stat().st_size
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ mask]))
            self._note_damage()

    @precondition(lambda self: not self.living)
    @rule(which=PLACES, at=PLACES, length=st.integers(1, 500))
    def cut(self, which: int, at: int, length: int) -> None:
        if segment := self._segment(which):
            content = segment.read_bytes()
            at %= len(content)
            segment.write_bytes(content[:at] + content[at + length :])
            self._note_damage()

    @precondition(lambda self: not self.living)
    @rule(which=PLACES, at=PLACES, length=st.integers(1, 500), to=PLACES)
    def duplicate(self, which: int, at: int, length: int, to: int) -> None:
        if segment := self._segment(which):
            content = segment.read_bytes()
            at, to = at % len(content), to % len(content)
            segment.write_bytes(content[:to] + content[at : at + length] + content[to:])
            self._note_damage()

    @invariant()
    def what_is_not_acknowledged_is_on_the_disk(self) -> None:
        """So no segment is deleted before all of it is acknowledged."""
        assert not self._missing()

    @invariant()
    def nothing_has_two_owners(self) -> None:
        owned = [claim.part for process in self.living for claim in process.claims()]
        assert len(owned) == len(set(owned))

    @invariant()
    def nothing_is_recovered_that_was_never_taken(self) -> None:
        assert self.acknowledged <= set(self.taken)

    def teardown(self) -> None:
        """All is well again: everything whole arrives, and its room is given back."""
        try:
            self.start_one_more()
            for _ in range(400):
                for process in self.living:
                    process.producer.room = 10_000
                    process.pass_(1.0)
                    process.producer.answer(len(process.producer.held))
            for process in self.living:
                self.acknowledged.update(process.producer.acknowledged)
                stats = process.carriage.stats()
                process.carriage.finish()
                assert stats.unacknowledged == 0
                assert stats.taken == stats.acknowledged + sum(stats.dropped.values())
            assert set(self.taken) - self.damaged <= self.acknowledged
            assert {path.suffix for path in self.directory.iterdir()} <= {".damaged"}
        finally:
            self._names.undo()
            shutil.rmtree(self.directory)

    def start_one_more(self) -> None:
        self.living.append(Emitting(self.directory, ObedientProducer()))

    def _process(self, which: int) -> Emitting:
        return self.living[which % len(self.living)]

    def _end(self, which: int) -> Emitting:
        return self.living.pop(which % len(self.living))

    def _segment(self, which: int) -> Path | None:
        segments = [path for path in sorted(self.directory.glob("*.seg")) if path.stat().st_size]
        return segments[which % len(segments)] if segments else None

    def _missing(self) -> set[bytes]:
        """What was taken, is not acknowledged, and stands whole nowhere."""
        disk = b"".join(path.read_bytes() for path in self.directory.glob("*.seg"))
        wanted = set(self.taken) - self.acknowledged - self.damaged
        return {value for value in wanted if self.taken[value] not in disk}

    def _note_damage(self) -> None:
        self.damaged |= self._missing()


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)

SEARCHED = settings(TestJournal.settings, max_examples=120, derandomize=True, database=None, phases=[Phase.generate])


def test_a_segment_deleted_before_all_of_it_is_acknowledged_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plant: the file goes as soon as it is read, whatever of it is still on its way."""
    run_state_machine_as_test(JournalMachine, settings=SEARCHED)
    is_over = Backlog._is_over

    def delete_early(backlog: Backlog, segment: Segment) -> bool:
        if ended := is_over(backlog, segment):
            segment.path.unlink(missing_ok=True)
        return ended

    monkeypatch.setattr(Backlog, "_is_over", delete_early)
    with pytest.raises(AssertionError, match="_missing"):
        run_state_machine_as_test(JournalMachine, settings=SEARCHED)
