"""The console's memory of the dead topic: the newest letters and which of them were redriven. It does no I/O.

One thread writes, any thread reads: what a reader holds is never changed, only replaced.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from headrace.console.dead.choosing import chosen
from headrace.console.dead.letters import Letter, LetterRow, Position, State, Wanted, place_of
from headrace.console.dead.pivot import By, Pivot, pivot, spans_of
from headrace.eventlog import cursor
from headrace.eventlog.pages import Page

MOST = 100_000
"""Letters that are remembered: about 100 MB at worst."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """How far the memory can be trusted: *known* letters, and *left_out* older ones that are in Kafka only.

    *as_of* is when Kafka was last read to its end, None before the first time: until then *read* of *to_read* records
    are through, and of no letter it is known that it is open. *is_whole* says that all letters are here already, and
    only the notes of redrives are missing. *problem* says that the last attempt to read failed.
    """

    known: int = 0
    left_out: int = 0
    as_of: float | None = None
    read: int = 0
    to_read: int = 0
    is_whole: bool = False
    problem: str = ""


ANSWERS = 16
"""Questions of which the answer is kept until something changes."""


class _Known:
    """What is known at one time, and what was asked of it: none of it changes but the answers that are kept."""

    def __init__(self, letters: Sequence[Letter], positions: Mapping[Position, Letter]) -> None:
        self.letters = letters
        self.by_position = positions
        self.redriven: Mapping[Position, float] = {}
        self.found: dict[Wanted, Sequence[Letter]] = {}
        self.pivots: dict[tuple[Wanted, By, tuple[float, float]], Pivot] = {}

    def find(self, wanted: Wanted) -> Sequence[Letter]:
        found = self.found.get(wanted)
        if found is None:
            found = chosen(self.letters, self.redriven, wanted)
            _keep(self.found, wanted, found)
        return found


class LetterBook:
    """Remembers letters, *most* at a time."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._writing = threading.Lock()
        self._known = _Known((), {})
        self._floors: dict[int, int] = {}
        self.memory = Memory()

    def tell(self, **changes: object) -> None:
        """Change what is said of the memory."""
        with self._writing:
            self.memory = msgspec.structs.replace(self.memory, **changes)

    def add(self, letters: Iterable[Letter], floors: Mapping[int, int]) -> None:
        """Remember *letters*, and forget what stands before *floors*, the first offset of each partition."""
        with self._writing:
            known = self._known
            new = [each for each in letters if each.position not in known.by_position]
            raised = {partition: floor for partition, floor in floors.items() if floor > self.floor(partition)}
            self._floors |= raised
            if new or raised:
                self._remember(known, new, is_raised=bool(raised))

    def forget(self, partition: int) -> None:
        """Forget a partition whose topic was made anew."""
        with self._writing:
            known = self._known
            self._floors.pop(partition, None)
            self._replace(
                [each for each in known.letters if each.partition != partition],
                {position: at for position, at in known.redriven.items() if position[0] != partition},
            )

    def note(self, positions: Iterable[Position], at: float) -> None:
        """Remember that letters were redriven; a later note of the same letter changes nothing."""
        self.note_all((position, at) for position in positions)

    def note_all(self, notes: Iterable[tuple[Position, float]]) -> None:
        """Remember which letters were redriven, each with when."""
        with self._writing:
            known, new = self._known, dict[Position, float]()
            for position, at in notes:
                if position[1] >= self.floor(position[0]) and position not in known.redriven:
                    new.setdefault(position, at)
            if new:
                self._replace(known.letters, {**known.redriven, **new}, known.by_position)

    def letter(self, position: Position) -> Letter | None:
        """Return the letter at *position*, if it is remembered."""
        return self._known.by_position.get(position)

    def state(self, position: Position) -> State:
        """Tell whether a letter is open; as long as not all notes of redrives were read, nobody knows."""
        known = self._known
        if position in known.redriven:
            return "redriven"
        return "open" if position in known.by_position and self.memory.as_of is not None else "unknown"

    def redriven_at(self, position: Position) -> float | None:
        """Tell when a letter was put back; None where it was not, or that is not known."""
        return self._known.redriven.get(position)

    def row(self, letter: Letter) -> LetterRow:
        """Return *letter* with its state."""
        return LetterRow(
            **msgspec.structs.asdict(letter),
            state=self.state(letter.position),
            redriven_at=self.redriven_at(letter.position),
        )

    def find(self, wanted: Wanted) -> Sequence[Letter]:
        """Return the letters that are meant, the oldest first; open ones are those that no note names so far."""
        return self._known.find(wanted)

    def of_event(self, org: str, id_: str) -> Sequence[Letter]:
        """Return the letters of one event, the oldest first."""
        return [each for each in self._known.letters if each.id == id_ and each.org == org]

    def pivot(self, wanted: Wanted, by: By, now: float) -> Pivot:
        """Count the letters that are meant, in spans of time up to *now*."""
        known = self._known
        found = known.find(wanted)
        spans = spans_of(found, now)
        counted = known.pivots.get((wanted, by, spans))
        if counted is None:
            counted = pivot(found, by, now)
            _keep(known.pivots, (wanted, by, spans), counted)
        return counted

    def floor(self, partition: int) -> int:
        """Return the first offset of *partition* that is remembered."""
        return self._floors.get(partition, 0)

    def _remember(self, known: _Known, new: list[Letter], *, is_raised: bool) -> None:
        """Put *new* letters in their places, and let go what there is no room for, or what is before its floor."""
        new.sort(key=place_of)
        kept = [*known.letters, *new]
        if known.letters and new and new[0].place < known.letters[-1].place:
            kept.sort(key=place_of)
        gone = kept[: -self._most]
        for each in gone:
            self._floors[each.partition] = max(self.floor(each.partition), each.offset + 1)
        if not gone and not is_raised:
            positions = {**known.by_position, **{each.position: each for each in new}}
            self._replace(kept, known.redriven, positions)
            return
        kept = [each for each in kept[-self._most :] if each.offset >= self.floor(each.partition)]
        self._replace(kept, {at: noted for at, noted in known.redriven.items() if at[1] >= self.floor(at[0])})

    def _replace(
        self,
        letters: Sequence[Letter],
        redriven: Mapping[Position, float],
        by_position: Mapping[Position, Letter] | None = None,
    ) -> None:
        known = _Known(letters, {each.position: each for each in letters} if by_position is None else by_position)
        known.redriven = redriven
        self._known = known
        self.memory = msgspec.structs.replace(self.memory, known=len(letters))


def _keep(answers: dict[Any, Any], asked: object, answer: object) -> None:
    """Keep an answer in the place of the oldest; threads that ask the same at once do no harm."""
    for old in list(islice(answers, max(0, len(answers) - ANSWERS + 1))):
        answers.pop(old, None)
    answers[asked] = answer


def page(book: LetterBook, found: Sequence[Letter], after: str | None, limit: int) -> Page[LetterRow]:
    """Return a page of *found*, which come the oldest first; the page begins with the newest."""
    stop = len(found)
    if after is not None:
        last = cursor.read(after, tuple[float, cursor.Number, cursor.Number])
        stop = bisect_left(found, last, key=lambda each: each.place)
    start = max(0, stop - limit)
    rows = [book.row(each) for each in reversed(found[start:stop])]
    return Page(rows=rows, next=cursor.write(found[start].place) if start else None)
