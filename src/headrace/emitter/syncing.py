"""Forces the journal to the disk in the background, for the case that the whole machine ends."""

import logging
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from headrace.emitter.journal import Journal

_log = logging.getLogger("headrace.emitter")


class Syncing:
    """Syncs what was written to *journal* every *interval* seconds, 0 for never, each time in a thread of its own.

    So neither an emit nor the courier waits for the disk; while one sync lasts the next does not begin.
    """

    def __init__(self, journal: Journal, lock: threading.Lock, interval: float) -> None:
        self._journal = journal
        self._lock = lock
        self._interval = interval
        self._due = 0.0
        self._thread: threading.Thread | None = None
        self._fails = False

    def step(self, now: float) -> None:
        """Begin a sync when it is time, and something was written. *now* is monotonic, in seconds."""
        if not self._interval or now < self._due or (self._thread is not None and self._thread.is_alive()):
            return
        self._due = now + self._interval
        if paths := self._unsynced():
            self._thread = threading.Thread(target=self._sync, args=(paths,), name="headrace-sync", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Sync what is left, and return when it is done."""
        if self._interval and (paths := self._unsynced()):
            self._sync(paths)

    def _unsynced(self) -> list[Path]:
        with self._lock:
            return self._journal.take_unsynced()

    def _sync(self, paths: Iterable[Path]) -> None:
        """Sync each file, and then the directories that name them; one that is gone was sent meanwhile."""
        paths = list(paths)
        try:
            for path in [*paths, *{path.parent for path in paths}]:
                with suppress(FileNotFoundError):
                    sync(path)
            self._fails = False
        except OSError as error:
            if not self._fails:
                _log.warning("%s could not be forced to the disk: %s", error.filename or path, error.strerror)
            self._fails = True


def sync(path: Path) -> None:
    """Force one file, or one directory's names, to the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
