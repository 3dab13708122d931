"""Offsets in ascending order, eight bytes each, that come mostly at the end and go mostly at the front."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

COMPACT_AT = 1024
"""Empty places at the front that are kept, so that what comes back to the front finds room."""


class Origins:
    """A sorted set of offsets. Adding at either end and taking the first are cheap; in the middle it costs a move."""

    __slots__ = ("_items", "_start")

    def __init__(self, offsets: Iterable[int] = ()) -> None:
        self._items = array("q", sorted(set(offsets)))
        self._start = 0

    def __len__(self) -> int:
        return len(self._items) - self._start

    def __iter__(self) -> Iterator[int]:
        return iter(self._items[self._start :])

    def __contains__(self, offset: int) -> bool:
        place = bisect_left(self._items, offset, self._start)
        return place < len(self._items) and self._items[place] == offset

    @property
    def first(self) -> int:
        """The smallest; `IndexError` when there is none."""
        return self._items[self._start]

    def add(self, offset: int) -> None:
        """Put *offset* in its place, unless it is there."""
        items = self._items
        if not len(self) or offset > items[-1]:
            items.append(offset)
        elif offset < items[self._start] and self._start:
            self._start -= 1
            items[self._start] = offset
        else:
            place = bisect_left(items, offset, self._start)
            if items[place] != offset:
                items.insert(place, offset)

    def pop(self) -> int:
        """Take the smallest."""
        first = self._items[self._start]
        self._start += 1
        if self._start > COMPACT_AT and self._start * 2 > len(self._items):
            del self._items[: self._start]
            self._start = 0
        return first

    def discard(self, offset: int) -> None:
        """Take *offset* out if it is there."""
        if not len(self):
            return
        if offset == self.first:
            self.pop()
            return
        place = bisect_left(self._items, offset, self._start)
        if place < len(self._items) and self._items[place] == offset:
            del self._items[place]
