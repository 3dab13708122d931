"""The right to one process's part of the journal directory: an exclusive lock on a file.

A part is named at random and consists of `<part>.lock` and its segments `<part>-<number>.seg`. Who holds the lock owns
the segments. The kernel gives the lock up when a process ends, however it ends, so a part without an owner belongs to
whoever locks it next. Process ids say nothing: they are used again, and differ between containers.

A forked child shares its parent's locks as long as it has them open, and would keep them when the parent is gone. So
every lock is closed in the child at once, which leaves the parent's as it is, and nobody forks while one is being made.
"""

import fcntl
import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self
from uuid import uuid4

SUFFIX = ".seg"
DAMAGED = ".damaged"
_LOCK = ".lock"
_OURS = re.compile(r"(?P<part>[0-9a-f]{32})(?:-\d{8}(?:\.seg|\.damaged)|\.lock)")

_FORK_PATIENCE = 1.0
_held: "set[Claim]" = set()
_making = threading.RLock()


class Claim:
    """An owned part. Everything may raise `OSError`."""

    def __init__(self, directory: Path, part: str, lock: int) -> None:
        self.directory = directory
        self.part = part
        self._lock = lock
        _held.add(self)

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
        with _making:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.stat().st_ino == os.fstat(lock).st_ino:  # else its last owner removed it meanwhile
                    return cls(directory, part, lock)
            except (BlockingIOError, FileNotFoundError):
                pass
            os.close(lock)
            return None

    @property
    def stands(self) -> bool:
        """Whether the lock is still the one that others find: not when somebody removed it, or the directory."""
        try:
            return (self.directory / (self.part + _LOCK)).stat().st_ino == os.fstat(self._lock).st_ino
        except OSError:
            return False

    def path(self, number: int) -> Path:
        """Name the part's segment with *number*."""
        return self.directory / f"{self.part}-{number:08d}{SUFFIX}"

    def segments(self) -> list[Path]:
        """List the part's segments, oldest first."""
        return sorted(self.directory.glob(f"{self.part}-*{SUFFIX}"))

    def release(self) -> None:
        """Give the part up, and remove its lock when no segment is left."""
        with suppress(OSError):
            if self.stands and not self.segments():
                (self.directory / (self.part + _LOCK)).unlink()
        self.abandon()

    def abandon(self) -> None:
        """Close the lock without touching the part."""
        _held.discard(self)
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def parts(directory: Path) -> list[str]:
    """List the names of the parts that *directory* holds, owned or not; none when it does not exist."""
    return sorted({match["part"] for name in _names(directory) if (match := _OURS.fullmatch(name)) and _is_open(name)})


def strangers(directory: Path) -> list[Path]:
    """List what is in *directory* and no part of a journal; the journal leaves it alone."""
    return [directory / name for name in sorted(_names(directory)) if not _OURS.fullmatch(name)]


def size(directory: Path) -> int:
    """Add up the bytes of all segments in *directory*."""
    total = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX):
                with suppress(FileNotFoundError):
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def _names(directory: Path) -> Iterator[str]:
    with suppress(FileNotFoundError):
        for path in directory.iterdir():
            yield path.name


def _is_open(name: str) -> bool:
    return not name.endswith(DAMAGED)


def _before_fork() -> None:
    _making.acquire(timeout=_FORK_PATIENCE)


def _after_fork_in_parent() -> None:
    with suppress(RuntimeError):  # it was not to be had in time
        _making.release()


def _after_fork_in_child() -> None:
    global _making  # noqa: PLW0603  whoever holds the old one does not exist here
    _making = threading.RLock()
    for claim in list(_held):
        claim.abandon()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
