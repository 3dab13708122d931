"""A shelf: what one log holds from some offset on, counted block by block, so that a record is read once."""

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from headrace.model.record import Record

BLOCK = 10_000
"""Offsets of one block, at most."""

K = TypeVar("K", bound=Hashable)

ReadRange = Callable[[range], Iterable[Record]]
"""Reads the records of a range of offsets."""


class _Block(Generic[K]):
    """The offsets `first` up to, not including, `next`: *first* is that of a record, if there is any."""

    __slots__ = ("first", "next", "tally")

    def __init__(self, first: int) -> None:
        self.first = self.next = first
        self.tally: Counter[K] = Counter()


class Shelf(Generic[K]):
    """Counts records by what *key* says of each."""

    def __init__(self, key: Callable[[Record], K]) -> None:
        self._key = key
        self._blocks: deque[_Block[K]] = deque()
        self._begun = 0

    def tally(self, offsets: range, read: ReadRange) -> Counter[K]:
        """Count the records of *offsets*: what is new is read, and a block anew of which a part is counted no more."""
        if offsets.start < self._begun or (self._blocks and offsets.stop < self._blocks[-1].next):
            self._blocks.clear()  # somebody has set the group's offsets back
        self._begun = offsets.start
        self._drop(offsets.start, read)
        following = self._blocks[-1].next if self._blocks else offsets.start
        while following < offsets.stop:
            if not self._blocks or following - self._blocks[-1].first >= BLOCK:
                self._blocks.append(_Block(following))
            block = self._blocks[-1]
            following = min(offsets.stop, block.first + BLOCK)
            self._extend(block, following, read)
        total: Counter[K] = Counter()
        for block in self._blocks:
            total.update(block.tally)
        return total

    @property
    def first(self) -> int | None:
        """The first offset of a record that is counted; None when there is none."""
        return next((block.first for block in self._blocks if block.tally), None)

    def _drop(self, start: int, read: ReadRange) -> None:
        while self._blocks and self._blocks[0].next <= start:
            self._blocks.popleft()
        if self._blocks and self._blocks[0].first < start:
            rest: _Block[K] = _Block(start)
            self._extend(rest, self._blocks[0].next, read)
            self._blocks[0] = rest

    def _extend(self, block: _Block[K], upto: int, read: ReadRange) -> None:
        for record in read(range(block.next, upto)):
            if not block.tally:
                block.first = record.offset()
            block.tally[self._key(record)] += 1
            block.next = record.offset() + 1  # so that nothing is counted twice if the next one cannot be read
        block.next = upto
