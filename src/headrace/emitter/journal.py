"""A process's own part of the journal: frames go in at the end, and are read along from the front."""

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


class Written:
    """A segment of this process: whole frames stand before *size*; *frames* were ever written to it.

    *file* is open as long as the segment may grow, and remains so when its name is gone.
    """

    __slots__ = ("file", "frames", "path", "sealed", "size")

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self.file = file
        self.size = 0
        self.frames = 0
        self.sealed = False

    def close(self) -> None:
        """Give the file up, once."""
        file, self.file = self.file, -1
        if file >= 0:
            os.close(file)


class Journal:
    """Appends to segments of bounded size in *directory*, which may hold *capacity* bytes, other processes' included.

    Nothing is made on the disk before the first frame. Not thread-safe: everything is called under the intake's lock.
    *trouble* is why the last append was refused, in words for people; empty when it was not.
    """

    def __init__(
        self, directory: Path, *, capacity: int, segment_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.trouble = ""
        self._directory = directory
        self.capacity = capacity
        self._segment_bytes = min(segment_bytes, SEGMENT_BYTES, max(capacity // 8, 1))
        self._clock = clock
        self._claim: Claim | None = None
        self._last: Written | None = None
        self._unread: deque[Written] = deque()
        self._unsynced: list[Path] = []
        self._is_dirty = False
        self._number = self._ahead = _FIRST
        self._refused: tuple[float, DropReason] | None = None

    @property
    def part(self) -> str | None:
        """The name of the part; None when nothing was journaled yet."""
        return self._claim.part if self._claim else None

    @property
    def held(self) -> int:
        """The bytes of all segments in the directory, read from the disk; 0 when they cannot be."""
        try:
            return size(self._directory)
        except OSError:
            return 0

    def __bool__(self) -> bool:
        """Whether there is a segment that `next` has not given out."""
        return bool(self._unread)

    def append(self, frames: Sequence[bytes]) -> None:
        """Write *frames*, all or none, for the process to lose no more; raise `JournalRefused`."""
        if self._refused is not None and self._clock() < self._refused[0]:
            raise JournalRefused(self._refused[1])
        chunk = b"".join(frames)
        try:
            if self._last is not None and self._last.size + len(chunk) > self._segment_bytes:
                self.seal()
            last = self._last or self._open(len(MAGIC) + len(chunk))
            self._write(last, chunk)
            last.frames += len(frames)
        except OSError as error:
            raise self._refusal("journal_failed", f"{self._directory}: {error.strerror}") from None
        self._is_dirty = True
        if self._refused is not None:
            self._refused, self.trouble = None, ""

    def next(self) -> Written | None:
        """Give out the oldest segment that was not given out yet, also the one that is being written."""
        return self._unread.popleft() if self._unread else None

    def seal(self) -> None:
        """End the segment that is being written."""
        if self._last is not None:
            last, self._last = self._last, None
            last.sealed = True
            if self._is_dirty:
                self._unsynced.append(last.path)
                self._is_dirty = False
            if last not in self._unread or last.path.exists():
                last.close()  # else this is the only way to what stands in it

    def empty(self, segment: Written) -> None:
        """Use *segment* anew, whose every frame is settled; when it cannot be, end it."""
        try:
            os.ftruncate(segment.file, len(MAGIC))
            segment.size = len(MAGIC)
        except OSError:
            self.seal()
        self._refused = None

    def delete(self, segment: Path) -> None:
        """Remove a segment whose every frame is settled; what was refused for want of room may be tried again."""
        with suppress(OSError):
            segment.unlink()
        self._refused = None

    def look(self) -> None:
        """Begin another part when this one was removed by somebody, with the directory or without."""
        if self._claim is not None and not (self._claim.stands and (self._last is None or self._last.path.exists())):
            self.seal()
            self._claim.abandon()
            self._claim = None
            self._refused = None

    def take_unsynced(self) -> list[Path]:
        """List the segments that were written to since the last call."""
        paths, self._unsynced = self._unsynced, []
        if self._is_dirty and self._last is not None:
            paths.append(self._last.path)
            self._is_dirty = False
        return paths

    def rewind(self) -> None:
        """Let the next frames go before all others, for the next process; once, when nothing is read here any more."""
        self.seal()
        self._ahead, self._number = self._number, 0
        self._refused = None

    def forward(self) -> None:
        """Undo `rewind`: let the next frames go behind all others."""
        self.seal()
        self._number = self._ahead

    def close(self) -> None:
        """Give up the part; its segments stay for the next process."""
        self.seal()
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    def abandon(self) -> None:
        """Close what a forked child inherited, touching nothing on the disk."""
        for written in (self._last, *self._unread):
            if written is not None:
                written.close()
        self._claim = None

    def _open(self, least: int) -> Written:
        if self._claim is None:
            self._claim = Claim.found(self._directory)
        if size(self._directory) + max(self._segment_bytes, least) > self.capacity:
            raise self._refusal("journal_full", f"{self._directory} holds `emitter.journal_bytes` already")
        self._number += 1
        path = self._claim.path(self._number)
        last = Written(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            self._write(last, MAGIC)
        except OSError:
            last.close()
            self.delete(path)
            raise
        self._last = last
        self._unread.append(last)
        return last

    def _write(self, segment: Written, chunk: bytes) -> None:
        """Write at the end that is known, so that what a failed write left behind is written over."""
        at = segment.size
        try:
            written = os.pwrite(segment.file, chunk, at)
            while written < len(chunk):
                written += os.pwrite(segment.file, memoryview(chunk)[written:], at + written)
        except OSError:
            with suppress(OSError):
                os.ftruncate(segment.file, at)
            raise
        segment.size = at + written

    def _refusal(self, reason: DropReason, why: str) -> JournalRefused:
        self._refused = (self._clock() + REFUSAL, reason)
        self.trouble = why
        return JournalRefused(reason)
