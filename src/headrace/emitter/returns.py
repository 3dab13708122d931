"""What comes back: records that the producer was given and Kafka did not take."""

from collections import deque

import msgspec

from headrace.emitter.segment import Segment
from headrace.wire.journal import Frame

RETRY = 1.0
"""So many seconds after something came back all is sent again."""


class Returned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record: in memory, as a *frame*, or where it stands in a *segment* of the journal."""

    frame: Frame | None = None
    segment: Segment | None = None
    start: int = 0
    stop: int = 0

    def read(self) -> Frame | None:
        """Return the record; None when the journal has lost it."""
        return self.segment.again(self.start, self.stop) if self.segment else self.frame


class Returns:
    """Gathers what came back until no other record is under way, and puts it into the order in which it was emitted.

    Whatever is emitted meanwhile stays behind it.
    """

    def __init__(self) -> None:
        self._came: list[Returned] = []
        self._again: deque[Returned] = deque()
        self._due = 0.0
        self.in_memory = 0

    def __bool__(self) -> bool:
        return bool(self._came or self._again)

    def keep(self, returned: Returned) -> None:
        """Keep one record for another try."""
        self._came.append(returned)
        if returned.segment is None:
            self.in_memory += 1
        else:
            returned.segment.returned += 1

    def due(self, now: float, under_way: int) -> bool:
        """Whether it is time to send again: a while after the last came, and nothing else can come."""
        if self._came:
            self._due = self._due or now + RETRY
            if under_way or now < self._due:
                return False
            self._due = 0.0
            self._again = deque(sorted([*self._again, *self._came], key=_by_emit))
            self._came = []
        return True

    def peek(self) -> Returned | None:
        """Look at the oldest that is to be sent again."""
        return self._again[0] if self._again else None

    def advance(self) -> None:
        """Go on behind what `peek` showed, which is the caller's from now on."""
        returned = self._again.popleft()
        if returned.segment is None:
            self.in_memory -= 1
        else:
            returned.segment.returned -= 1

    def take_all(self) -> list[Returned]:
        """Give out everything, in no order."""
        everything = [*self._again, *self._came]
        self._came, self._again, self.in_memory = [], deque(), 0
        for returned in everything:
            if returned.segment is not None:
                returned.segment.returned -= 1
        return everything


class _Identity(msgspec.Struct):
    id: str = ""


_decode = msgspec.json.Decoder(_Identity).decode


def by_id(frame: Frame) -> str:
    """Sort by the event's id: ids rise in the order of emits, while a purge returns records in no such order."""
    try:
        return _decode(frame.value).id
    except msgspec.DecodeError:
        return ""


def _by_emit(returned: Returned) -> tuple[int, int, str, int]:
    """What other processes left comes first, as it stands there, then what this one emitted."""
    if returned.segment is not None and returned.segment.claim is not None:
        return 0, returned.segment.rank, "", returned.start
    frame = returned.read()
    return 1, 0, by_id(frame) if frame else "", returned.start
