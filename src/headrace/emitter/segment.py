"""One file of the journal on its way to Kafka."""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from headrace.emitter.claim import DAMAGED, Claim
from headrace.emitter.journal import Written
from headrace.wire.journal import MAGIC, Damaged, Found, Frame, frame_of, scan

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
"""A pipe or a link that somebody put here under a segment's name must not hold the courier up, or lead it away."""

_DAMAGED = "%s is damaged at byte %d: what is whole is sent, what is not is set aside in %s"

_log = logging.getLogger("headrace.emitter")
_opened = count()


class Segment:
    """Reads a file from front to back, and again where Kafka did not take a frame. What touches the disk may raise.

    *written* is this process's own side of it, by which a segment is read along while it grows; *claim* that of a
    process that is gone. Segments that are opened later have a higher *rank*. One is *settled* when it is read to its
    end and nothing of it is *pending* or *returned*; one that is *kept* stays on the disk. *is_aside* says whether all
    of its damage stands beside it.
    """

    def __init__(self, path: Path, file: int, *, written: Written | None = None, claim: Claim | None = None) -> None:
        self.path = path
        self.written = written
        self.claim = claim
        self.rank = next(_opened)
        self.position = len(MAGIC) if written else 0
        self.frames = 0
        self.pending = 0
        self.returned = 0
        self.acknowledged = 0
        self.ended = False
        self.kept = False
        self.damaged = False
        self.is_aside = True
        self._file = file
        self._length = 0 if written else os.fstat(file).st_size
        self._loaded = self.position
        self._piece: Iterator[Found] = iter(())
        self._ahead: Found | None = None

    @classmethod
    def own(cls, written: Written) -> "Segment":
        """Open a segment of this process, by its file where its name is gone."""
        file = os.dup(written.file) if written.file >= 0 else os.open(written.path, _FLAGS)
        if written.sealed:
            written.close()
        return cls(written.path, file, written=written)

    @classmethod
    def left(cls, path: Path, claim: Claim) -> "Segment":
        """Open a segment that a process left behind; raise `OSError` with the reason when it is no plain file."""
        file = os.open(path, _FLAGS)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise OSError(0, "it is no plain file")
        return cls(path, file, claim=claim)

    @property
    def end(self) -> int:
        """Up to where there are whole frames."""
        return self.written.size if self.written else self._length

    @property
    def unread(self) -> bool:
        return not self.ended and (self._ahead is not None or self.position < self.end)

    @property
    def settled(self) -> bool:
        return self.ended and not (self.pending or self.returned or self.kept)

    @property
    def is_empty(self) -> bool:
        """Whether not one byte was ever kept in it."""
        return not self.written and not self._length

    def peek(self) -> Found | None:
        """Look at what comes next; None when all that is written was read."""
        if self._ahead is None:
            self._ahead = next(self._piece, None)
        if self._ahead is None and self._loaded < self.end:
            start, stop = self._loaded, self.end
            self._piece = scan(os.pread(self._file, stop - start, start), start)
            self._loaded = stop  # what somebody cut off is not waited for
            self._ahead = next(self._piece, None)
        if self._ahead is None:
            self.position = self._loaded
        return self._ahead

    def advance(self) -> None:
        """Go on behind what `peek` showed."""
        if self._ahead is not None:
            self.position = self._ahead.stop
            self.frames += isinstance(self._ahead.what, Frame)
            self._ahead = None

    def again(self, start: int, stop: int) -> Frame | None:
        """Read a frame another time; None when it is not there any more."""
        with suppress(OSError):
            return frame_of(os.pread(self._file, stop - start, start))
        return None

    def begin_anew(self) -> None:
        """Follow `written` back to its beginning, once that was emptied."""
        self.position = self._loaded = self.end

    def set_aside(self, at: int, damage: Damaged) -> None:
        """Put damaged bytes into a file beside this one; without room there, the whole segment must become that file.

        The first stretch is said, and begins the file: a process that died while it read leaves nothing twice.
        """
        beside = self.path.with_suffix(DAMAGED)
        if not self.damaged:
            _log.warning(_DAMAGED, self.path, at, beside)
        begun = os.O_APPEND if self.damaged else os.O_TRUNC
        self.damaged = True
        try:
            file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | begun, 0o600)
            with os.fdopen(file, "wb") as out:
                out.write(damage.bytes)
        except OSError:
            self.is_aside = False

    def close(self) -> None:
        """Give the file up; it stays on the disk."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
