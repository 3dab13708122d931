"""Where questions are read: at one window for each kind of need, so that nobody waits behind what they do not need.

A store that is slow or hangs keeps the threads of `stores` busy, and a destination that hangs those of `time`: what
needs memory alone is answered all the same.
"""

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from headrace.console.sources import Sources
from headrace.console.view import Needs
from headrace.console.viewer import Viewer
from headrace.console.web.window import IsGone, Window, stays

T = TypeVar("T")

THREADS: Mapping[Needs, int] = {"memory": 2, "stores": 4, "time": 4}
"""Each has an event log and a reader of its own, which do nothing before they are asked."""

PATIENCE = 10.0
"""Seconds after which whoever asked is told that it takes too long."""


class Desk:
    """Answers questions in threads. Called from the event loop."""

    def __init__(self, open_sources: Callable[[], Sources], *, patience: float = PATIENCE) -> None:
        self._windows = {name: Window(name, threads, open_sources, patience) for name, threads in THREADS.items()}

    async def ask(
        self,
        read: Callable[[Sources], T],
        viewer: Viewer,
        needs: Needs = "stores",
        is_gone: IsGone = stays,
        patience: float = math.inf,
    ) -> T:
        """Call *read* in a thread, as `Window.ask` says."""
        return await self._windows[needs].ask(read, viewer.share, is_gone, patience)

    @property
    def asked(self) -> int:
        """How many questions there were."""
        return sum(window.asked for window in self._windows.values())

    @property
    def unanswered(self) -> int:
        """How many of them the event log or Kafka did not answer."""
        return sum(window.unanswered for window in self._windows.values())

    def close(self) -> None:
        """End the threads when they have answered, and close what they had opened."""
        for window in self._windows.values():
            window.close()
