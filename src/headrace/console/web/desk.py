"""Where questions are read: a few threads, each with an event log and a reader of its own.

A store that is slow or hangs keeps these threads busy and nobody else: what comes beyond `WAITING` is refused at once.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from headrace.console.sources import Sources
from headrace.console.viewer import Busy
from headrace.errors import BrokerError, StoreError

T = TypeVar("T")

THREADS = 4
WAITING = 64
"""Questions that may be open at once."""

PATIENCE = 10.0
"""Seconds after which whoever asked is told that it takes too long."""


class Desk:
    """Answers one question after the other on each of its threads. Called from the event loop."""

    def __init__(self, open_sources: Callable[[], Sources], *, patience: float = PATIENCE) -> None:
        self._open = open_sources
        self._patience = patience
        self._own = threading.local()
        self._opened: list[Sources] = []
        self._open_questions = 0
        self.asked = self.unanswered = 0
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="headrace-console")

    async def ask(self, read: Callable[[Sources], T]) -> T:
        """Call *read* with a thread's sources; raise `Busy` when that takes too long, and what *read* raises."""
        if self._open_questions >= WAITING:
            raise Busy("the console has more questions than it can answer; try again in a moment")
        self._open_questions += 1
        self.asked += 1
        answer = asyncio.get_running_loop().run_in_executor(self._threads, self._read, read)
        answer.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(answer), self._patience)
        except TimeoutError:
            raise Busy(f"the answer took longer than {self._patience:g} s; is the event log or Kafka slow?") from None

    def close(self) -> None:
        """End the threads when they have answered, and close what they had opened."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for sources in self._opened:
            sources.close()

    def _read(self, read: Callable[[Sources], T]) -> T:
        sources: Sources | None = getattr(self._own, "sources", None)
        if sources is None:
            sources = self._own.sources = self._open()
            self._opened.append(sources)
        return read(sources)

    def _done(self, answer: "asyncio.Future[T]") -> None:
        self._open_questions -= 1
        # Asked for here, so that nobody is told of what somebody who waits no longer missed.
        self.unanswered += not answer.cancelled() and isinstance(answer.exception(), StoreError | BrokerError)
