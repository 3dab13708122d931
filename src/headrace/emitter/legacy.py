"""What processes that are gone left in the journal directory: found, claimed, and opened in their order."""

import logging
from collections import deque
from pathlib import Path

from headrace.emitter.claim import Claim, parts, strangers
from headrace.emitter.segment import Segment

_log = logging.getLogger("headrace.emitter")


class Legacy:
    """Claims in *directory* what has no owner, and hands it out one segment at a time, the oldest part first.

    What cannot be read stays where it is, is named once, and counted in *unreadable*. Only the courier calls it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._parts: deque[tuple[Claim, deque[Path]]] = deque()
        self._in_use: dict[Claim, int] = {}
        self._named: set[Path] = set()
        self.unreadable = 0

    def __bool__(self) -> bool:
        """Whether there is something that `next` has not given out."""
        return bool(self._parts)

    def look(self) -> None:
        """Claim the parts whose processes are gone."""
        claimed: list[tuple[Claim, deque[Path]]] = []
        try:
            for path in strangers(self._directory):
                self._name(path, "is no part of the journal: it is left alone")
            taken = [claim for part in parts(self._directory) if (claim := self._take(part))]
            claimed = [(claim, deque(claim.segments())) for claim in taken]
        except OSError as error:
            self._name(self._directory, f"cannot be read as the journal's directory: {error.strerror}")
        self._parts.extend(sorted(claimed, key=lambda found: _age(found[1])))

    def next(self) -> Segment | None:
        """Open the next segment; None when there is none. It must come back by `done`."""
        while self._parts:
            claim, paths = self._parts[0]
            if not paths:
                self._parts.popleft()
                self._release_if_done(claim)
                continue
            if segment := self._open(paths.popleft(), claim):
                self._in_use[claim] = self._in_use.get(claim, 0) + 1
                return segment
        return None

    def done(self, claim: Claim) -> None:
        """Take note that a segment of *claim* is not used any more."""
        self._in_use[claim] -= 1
        self._release_if_done(claim)

    def release(self) -> None:
        """Give up all that was claimed; what is left of it stays for the next process."""
        for claim in {*self._in_use, *(claim for claim, _ in self._parts)}:
            claim.release()

    def _take(self, part: str) -> Claim | None:
        try:
            return Claim.take(self._directory, part)
        except OSError as error:
            self._name(self._directory / part, f"cannot be claimed: {error.strerror}")
            return None

    def _open(self, path: Path, claim: Claim) -> Segment | None:
        try:
            segment = Segment.left(path, claim)
        except FileNotFoundError:
            return None
        except OSError as error:
            if self._name(path, f"cannot be read as a segment of the journal: {error.strerror}; it is left there"):
                self.unreadable += 1
            return None
        if segment.is_empty:
            self._name(path, "is an empty segment of the journal: its process died before it wrote to it")
        return segment

    def _release_if_done(self, claim: Claim) -> None:
        if not self._in_use.get(claim) and not any(claim is other for other, _ in self._parts):
            self._in_use.pop(claim, None)
            claim.release()

    def _name(self, path: Path, what: str) -> bool:
        """Say *what* is with *path*, once; return whether this was the first time."""
        if path in self._named:
            return False
        self._named.add(path)
        _log.warning("%s %s", path, what)
        return True


def _age(segments: deque[Path]) -> float:
    """When the oldest of *segments* was last written to: parts are sent in the order of their processes."""
    try:
        return segments[0].stat().st_mtime if segments else 0.0
    except OSError:
        return 0.0
