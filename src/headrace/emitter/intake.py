"""Where `emit` puts an event: a bounded queue in memory, or the journal itself."""

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence

from headrace.emitter.journal import Journal, JournalRefused
from headrace.emitter.tally import DropReason
from headrace.wire.journal import encode

ENTRY_BYTES = 200
"""What Python needs for a queued event beside its bytes."""

_SPILL_BYTES = 512 << 10
_REST = 1.0


class Intake:
    """The queue between the threads that emit and the courier, at most *room* bytes of events of at most *most* bytes.

    An emit appends and no more. Only when the queue is full, because the program leaves the courier no time, it makes
    room itself by journaling the oldest events. Whoever moves events on holds `lock`; a courier that is `asleep` is
    woken.
    """

    def __init__(self, topic: str, journal: Journal, *, room: int, most: int) -> None:
        self.lock = threading.Lock()
        self.waiting: deque[tuple[bytes, bytes]] = deque()
        self.wake = threading.Event()
        self.asleep = False
        self.closed = False
        self.taken = 0
        self.spilled = 0
        self.dropped: Counter[DropReason] = Counter()
        self._topic = topic.encode()
        self._journal = journal
        self._room = room
        self._most = most
        self._put = 0  # bytes that went in, counted by those who emit
        self._left = 0  # bytes that left, counted under the lock
        self._hurry_until = 0.0

    @property
    def size(self) -> int:
        """The bytes that the queue holds."""
        return self._put - self._left

    def take(self, key: bytes, value: bytes) -> bool:
        """Queue one event; return whether it was taken."""
        size = len(key) + len(value) + ENTRY_BYTES
        if (size > self._most or self.closed or self._put - self._left + size > self._room) and not self._admit(size):
            return False
        self._put += size
        self.taken += 1
        self.waiting.append((key, value))
        if self.asleep:
            self.wake.set()
        return True

    def take_journaled(self, key: bytes, value: bytes) -> bool:
        """Journal one event, for the courier to read it from there; return whether it was taken."""
        if self.closed or len(key) + len(value) + ENTRY_BYTES > self._most:
            return self.drop("closed" if self.closed else "too_large")
        if not self._locked(patience=1.0):
            return self.drop("journal_failed")
        try:
            refused = self.journal([encode(self._topic, key, value)])
            self.taken += refused is None
        finally:
            self.lock.release()
        if self.asleep:
            self.wake.set()
        return refused is None or self.drop(refused)

    def pop(self) -> tuple[bytes, bytes]:
        """Take out the oldest event. Under the lock."""
        key, value = self.waiting.popleft()
        self._left += len(key) + len(value) + ENTRY_BYTES
        return key, value

    def put_back(self, key: bytes, value: bytes) -> None:
        """Undo `pop`. Under the lock."""
        self.waiting.appendleft((key, value))
        self._left -= len(key) + len(value) + ENTRY_BYTES

    def spill(self) -> DropReason | None:
        """Move the oldest events to the journal; return why not, in which case they stay. Under the lock."""
        events = []
        size = 0
        while self.waiting and size < _SPILL_BYTES:
            events.append(self.pop())
            size += len(events[-1][1])
        refused = self.journal([encode(self._topic, *event) for event in events]) if events else None
        if refused is not None:
            for key, value in reversed(events):
                self.put_back(key, value)
        return refused

    def journal(self, frames: Sequence[bytes]) -> DropReason | None:
        """Journal *frames*, all or none; return why not. Under the lock."""
        try:
            self._journal.append(frames)
        except JournalRefused as refused:
            return refused.reason
        self.spilled += len(frames)
        return None

    def drop(self, reason: DropReason, events: int = 1) -> bool:
        """Count *events* as dropped; return False, for what `emit` says of it."""
        self.dropped[reason] += events
        return False

    def _admit(self, size: int) -> bool:
        """Decide about an event that the queue does not simply take."""
        if self.closed or size > self._most:
            return self.drop("closed" if self.closed else "too_large")
        if not self._locked(patience=0.01):
            return self.drop("journal_failed")
        try:
            refused = self.spill()
        finally:
            self.lock.release()
        return refused is None or self.drop(refused)

    def _locked(self, patience: float) -> bool:
        """Take the lock, which is held while the disk is written to: one that hangs is waited for once in a while."""
        now = time.monotonic()
        if self.lock.acquire(timeout=patience if now >= self._hurry_until else 0):
            return True
        self._hurry_until = now + _REST
        return False
