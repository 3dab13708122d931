"""A process's own part of the journal: frames go in at the end, whole segments come out at the front."""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from headrace.emitter.claim import Claim, size
from headrace.emitter.tally import DropReason
from headrace.wire.journal import MAGIC

SEGMENT_BYTES = 4 << 20
REFUSAL = 1.0
"""How many seconds a refusal stands before the disk is asked again, so that a full one costs nothing per event."""

_FIRST = 10_000
"""The number before the first segment; the ones below are for `rewind`."""


class JournalRefused(Exception):
    """The journal has no room, or the disk does not take it; nothing of the frames was kept."""

    def __init__(self, reason: DropReason) -> None:
        super().__init__(reason)
        self.reason: DropReason = reason


class Journal:
    """Appends to segments of bounded size in *directory*, which may hold *capacity* bytes, other processes' included.

    Nothing is made on the disk before the first frame. Not thread-safe: the courier calls it under its lock.
    """

    def __init__(
        self, directory: Path, *, capacity: int, segment_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._directory = directory
        self._capacity = capacity
        self._segment_bytes = min(segment_bytes, SEGMENT_BYTES, max(capacity // 8, 1))
        self._clock = clock
        self._claim: Claim | None = None
        self._sealed: deque[Path] = deque()
        self._number = self._ahead = _FIRST
        self._file = -1
        self._path = directory
        self._size = 0
        self._refused: tuple[float, DropReason] | None = None

    @property
    def part(self) -> str | None:
        """The name of the part; None when nothing was ever journaled."""
        return self._claim.part if self._claim else None

    def __bool__(self) -> bool:
        """Whether there is something that `next_sealed` has not given out."""
        return self._file >= 0 or bool(self._sealed)

    def append(self, frames: Sequence[bytes]) -> None:
        """Write *frames*, all or none; raise `JournalRefused`."""
        now = self._clock()
        if self._refused is not None and now < self._refused[0]:
            raise JournalRefused(self._refused[1])
        chunk = b"".join(frames)
        try:
            if self._file >= 0 and self._size + len(chunk) > self._segment_bytes:
                self.seal()
            if self._file < 0:
                self._open(len(MAGIC) + len(chunk))
            self._write(chunk)
            self._refused = None
        except OSError:
            self._refused = (now + REFUSAL, "journal_failed")
            raise JournalRefused("journal_failed") from None
        except JournalRefused as refused:
            self._refused = (now + REFUSAL, refused.reason)
            raise

    def rewind(self) -> None:
        """Let the next frames go before all others, for the next process; once, when nothing is read here any more."""
        self.seal()
        self._ahead, self._number = self._number, 0

    def forward(self) -> None:
        """Undo `rewind`: let the next frames go behind all others."""
        self.seal()
        self._number = self._ahead

    def seal(self) -> None:
        """End the segment that is being written."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self._sealed.append(self._path)

    def next_sealed(self) -> Path | None:
        """Give out the oldest segment that was not given out yet, sealing the last one if need be."""
        if not self._sealed:
            self.seal()
        return self._sealed.popleft() if self._sealed else None

    def delete(self, segment: Path) -> None:
        """Remove a segment whose every frame is settled; what was refused for want of room may be tried again."""
        with suppress(OSError):
            segment.unlink()
        self._refused = None

    def close(self) -> None:
        """Give up the part; its segments stay for the next process."""
        self.seal()
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    def abandon(self) -> None:
        """Close what a forked child inherited, touching nothing on the disk."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._claim is not None:
            self._claim.abandon()
            self._claim = None

    def _open(self, least: int) -> None:
        if self._claim is None:
            self._claim = Claim.found(self._directory)
        if size(self._directory) + max(self._segment_bytes, least) > self._capacity:
            raise JournalRefused("journal_full")
        self._number += 1
        self._path = self._claim.path(self._number)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._size = 0
        self._write(MAGIC)

    def _write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            os.ftruncate(self._file, self._size)
            os.lseek(self._file, self._size, os.SEEK_SET)
            raise
        self._size += len(chunk)
