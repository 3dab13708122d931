"""The right to one process's part of the journal directory: an exclusive lock on a file.

A part is named at random and consists of `<part>.lock` and its segments `<part>-<number>.seg`. Who holds the lock owns
the segments. The kernel gives the lock up when a process ends, however it ends, so a part without an owner belongs to
whoever locks it next. Process ids say nothing: they are used again, and differ between containers.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self
from uuid import uuid4

SUFFIX = ".seg"
_LOCK = ".lock"


class Claim:
    """An owned part. Everything may raise `OSError`."""

    def __init__(self, directory: Path, part: str, lock: int) -> None:
        self.directory = directory
        self.part = part
        self._lock = lock

    @classmethod
    def found(cls, directory: Path) -> Self:
        """Make the directory if need be, and a new part in it."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            claim = cls.take(directory, uuid4().hex)
            if claim is not None:  # else another process took the lock between its making and its locking
                return claim

    @classmethod
    def take(cls, directory: Path, part: str) -> Self | None:
        """Own *part*; None when it has an owner already."""
        path = directory / (part + _LOCK)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(lock).st_ino:  # else its last owner removed it meanwhile
                return cls(directory, part, lock)
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(lock)
        return None

    def path(self, number: int) -> Path:
        """Name the part's segment with *number*."""
        return self.directory / f"{self.part}-{number:08d}{SUFFIX}"

    def segments(self) -> list[Path]:
        """List the part's segments, oldest first."""
        return sorted(self.directory.glob(f"{self.part}-*{SUFFIX}"))

    def release(self) -> None:
        """Give the part up, and remove its lock when no segment is left."""
        with suppress(OSError):
            if not self.segments():
                (self.directory / (self.part + _LOCK)).unlink()
        self.abandon()

    def abandon(self) -> None:
        """Close the lock without touching the part: in a forked child it stays the parent's."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def parts(directory: Path) -> Iterator[str]:
    """Yield the names of the parts that *directory* holds, owned or not."""
    with suppress(OSError):
        names = [path.name for path in directory.iterdir()]
        segments = (name.rpartition("-")[0] for name in names if name.endswith(SUFFIX))
        locks = (name.removesuffix(_LOCK) for name in names if name.endswith(_LOCK))
        yield from sorted({*segments, *locks} - {""})


def size(directory: Path) -> int:
    """Add up the bytes of all segments in *directory*."""
    total = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX):
                with suppress(FileNotFoundError):
                    total += entry.stat().st_size
    return total
