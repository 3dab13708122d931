"""The console's memory of the dead topic: the newest letters and which of them were redriven. It does no I/O.

One thread writes, any thread reads: what a reader holds is never changed, only replaced.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from headrace.console.dead.letters import Letter, LetterRow, Position, State, Wanted
from headrace.eventlog import cursor
from headrace.eventlog.pages import Page

MOST = 100_000
"""Letters that are remembered: about 100 MB at worst."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """How far the memory can be trusted: *known* letters, and *left_out* older ones that are in Kafka only.

    *as_of* is when Kafka was last read to its end, None before the first time; until then *read* of *to_read* records
    are through, and what was redriven may seem open. *problem* says that the last attempt to read failed.
    """

    known: int = 0
    left_out: int = 0
    as_of: float | None = None
    read: int = 0
    to_read: int = 0
    problem: str = ""


class LetterBook:
    """Remembers letters, *most* at a time."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._writing = threading.Lock()
        self._letters: Sequence[Letter] = ()
        self._by_position: Mapping[Position, Letter] = {}
        self._floors: dict[int, int] = {}
        self._redriven: dict[Position, float] = {}
        self.memory = Memory()

    def tell(self, **changes: object) -> None:
        """Change what is said of the memory."""
        with self._writing:
            self.memory = msgspec.structs.replace(self.memory, **changes)

    def add(self, letters: Iterable[Letter], floors: Mapping[int, int]) -> None:
        """Remember *letters*, and forget what stands before *floors*, the first offset of each partition."""
        with self._writing:
            for partition, floor in floors.items():
                self._floors[partition] = max(self.floor(partition), floor)
            kept = [each for each in self._letters if each.offset >= self.floor(each.partition)]
            kept += [each for each in letters if each.position not in self._by_position]
            kept.sort(key=lambda each: each.place)
            for each in kept[: -self._most]:
                self._floors[each.partition] = max(self.floor(each.partition), each.offset + 1)
            self._letters = kept[-self._most :]
            self._by_position = {each.position: each for each in self._letters}
            self._redriven = {
                position: at for position, at in self._redriven.items() if position[1] >= self.floor(position[0])
            }
            self.memory = msgspec.structs.replace(self.memory, known=len(self._letters))

    def forget(self, partition: int) -> None:
        """Forget a partition whose topic was made anew."""
        with self._writing:
            self._letters = [each for each in self._letters if each.partition != partition]
            self._by_position = {each.position: each for each in self._letters}
            self._redriven = {position: at for position, at in self._redriven.items() if position[0] != partition}
            self._floors.pop(partition, None)

    def note(self, positions: Iterable[Position], at: float) -> None:
        """Remember that letters were redriven; a later note of the same letter changes nothing."""
        with self._writing:
            for position in positions:
                if position[1] >= self.floor(position[0]):
                    self._redriven.setdefault(position, at)

    def letter(self, position: Position) -> Letter | None:
        """Return the letter at *position*, if it is remembered."""
        return self._by_position.get(position)

    def state(self, position: Position) -> State:
        """Tell whether a letter is open."""
        if position in self._redriven:
            return "redriven"
        return "open" if position in self._by_position else "unknown"

    def redriven_at(self, position: Position) -> float | None:
        """Tell when a letter was put back; None where it was not, or that is not known."""
        return self._redriven.get(position)

    def row(self, letter: Letter) -> LetterRow:
        """Return *letter* with its state."""
        return LetterRow(
            **msgspec.structs.asdict(letter),
            state=self.state(letter.position),
            redriven_at=self._redriven.get(letter.position),
        )

    def find(self, wanted: Wanted) -> list[Letter]:
        """Return the letters that are meant, the oldest first."""
        letters, redriven = self._letters, self._redriven
        if wanted.state is None:
            return [each for each in letters if wanted.takes(each)]
        is_sought = wanted.state == "redriven"
        return [each for each in letters if (each.position in redriven) == is_sought and wanted.takes(each)]

    def floor(self, partition: int) -> int:
        """Return the first offset of *partition* that is remembered."""
        return self._floors.get(partition, 0)


def page(book: LetterBook, found: Sequence[Letter], after: str | None, limit: int) -> Page[LetterRow]:
    """Return a page of *found*, which come the oldest first; the page begins with the newest."""
    stop = len(found)
    if after is not None:
        last = cursor.read(after, tuple[float, cursor.Number, cursor.Number])
        stop = bisect_left(found, last, key=lambda each: each.place)
    start = max(0, stop - limit)
    rows = [book.row(each) for each in reversed(found[start:stop])]
    return Page(rows=rows, next=cursor.write(found[start].place) if start else None)
