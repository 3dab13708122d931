"""What was done and could not be written into the trail then: it is written as soon as the event log answers again."""

import threading
from collections.abc import Callable

import msgspec
import structlog

from headrace.eventlog.trail import Deed, OwnTrail

NOTE_EVERY = 5.0

MOST = 1_000
"""OwnTrail that wait; beyond that the oldest stands in the console's own log alone."""

_log = structlog.get_logger("headrace.console")


class LateNotes:
    """Any thread adds; one chore's calls *step*, with a trail that *open_trail* opens at the first use.

    Each is told to the console's own log at once: this memory ends with the console.
    """

    def __init__(self, open_trail: Callable[[], OwnTrail] | None = None) -> None:
        self._open_trail = open_trail
        self._trail: OwnTrail | None = None
        self._changing = threading.Lock()
        self._waiting: dict[str, Deed] = {}

    def add(self, deed: Deed) -> None:
        """Keep *deed* until it is written; of one that waits already the later word stays."""
        _log.warning("console.deed_not_noted", **msgspec.structs.asdict(deed))
        with self._changing:
            self._waiting[deed.id] = deed
            if len(self._waiting) > MOST:
                del self._waiting[next(iter(self._waiting))]

    def step(self) -> None:
        """Write what waits, the first first; raise `StoreError` while the event log does not take it."""
        with self._changing:
            waiting = list(self._waiting.values())
        for deed in waiting:
            self._own().note(deed)
            with self._changing:
                if self._waiting.get(deed.id) is deed:
                    del self._waiting[deed.id]

    def close(self) -> None:
        """Release what is held."""
        if self._trail is not None:
            self._trail.close()

    def _own(self) -> OwnTrail:
        if self._trail is None:
            assert self._open_trail is not None
            self._trail = self._open_trail()
        return self._trail
