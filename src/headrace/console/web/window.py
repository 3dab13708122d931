"""A few threads that answer one kind of question, and nobody more of them than their share."""

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect

from headrace.console.sources import Sources
from headrace.console.viewer import Busy, Greedy
from headrace.errors import BrokerError, StoreError

T = TypeVar("T")

SHARE = 16
"""Questions that one viewer may have open at once; a browser asks six at once."""

WAITING = 256
"""Questions that all of them may have open at once."""

IsGone = Callable[[], Awaitable[bool]]
"""Tells whether whoever asked has hung up."""


async def stays() -> bool:
    """Say of somebody that they wait for the answer, whatever comes."""
    return False


class Window:
    """Answers on so many *threads*, of one viewer half as many at once. Called from the event loop.

    Whoever asks for more waits for their own turn, not in the way of others; who hangs up meanwhile is not answered.
    """

    def __init__(self, name: str, threads: int, open_sources: Callable[[], Sources], patience: float) -> None:
        self._at_once = max(1, threads // 2)
        self._open = open_sources
        self._patience = patience
        self._own = threading.local()
        self._opened: list[Sources] = []
        self._guests: dict[str, _Guest] = {}
        self.asked = self.unanswered = 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"headrace-console-{name}")

    async def ask(self, read: Callable[[Sources], T], who: str, is_gone: IsGone, patience: float = math.inf) -> T:
        """Call *read* with a thread's sources; raise `Busy` when that takes too long, and what *read* raises.

        That is the window's own patience, or *patience* seconds where that is shorter.

        Raise `Greedy` when *who* has its share of open questions already, `ClientDisconnect` when nobody waits any more
        for an answer that was not begun.
        """
        guest, work = self._enter(who), None
        patience = min(patience, self._patience)
        try:
            async with asyncio.timeout(patience):
                await guest.turns.acquire()
                work = await self._begin(guest, read, is_gone)
                # One that was not begun when patience ends is never begun; one that was goes on, and keeps its turn.
                return await asyncio.wrap_future(work)
        except TimeoutError:
            raise Busy(f"the answer took longer than {patience:g} s; is the event log or Kafka slow?") from None
        finally:
            if work is None:
                self._leave(guest)

    def close(self) -> None:
        """End the threads when they have answered, and close what they had opened."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for sources in self._opened:
            sources.close()

    def _enter(self, who: str) -> "_Guest":
        guest = self._guests.get(who)
        if guest is not None and guest.open >= SHARE:
            raise Greedy(
                f"{SHARE} questions of yours are open, as many as one viewer may ask at once; wait for answers"
            )
        if sum(each.open for each in self._guests.values()) >= WAITING:
            raise Busy("the console has more questions than it can answer; try again in a moment")
        if guest is None:
            guest = self._guests[who] = _Guest(who, self._at_once)
        guest.open += 1
        self.asked += 1
        return guest

    async def _begin(self, guest: "_Guest", read: Callable[[Sources], T], is_gone: IsGone) -> "Future[T]":
        try:
            if await is_gone():
                raise ClientDisconnect  # noqa: TRY301  the turn is given back
            work = self._threads.submit(self._read, read)
        except BaseException:
            guest.turns.release()
            raise
        loop = asyncio.get_running_loop()

        def tell(done: "Future[T]") -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._done, guest, done)

        work.add_done_callback(tell)
        return work

    def _read(self, read: Callable[[Sources], T]) -> T:
        sources: Sources | None = getattr(self._own, "sources", None)
        if sources is None:
            sources = self._own.sources = self._open()
            self._opened.append(sources)
        return read(sources)

    def _done(self, guest: "_Guest", work: "Future[Any]") -> None:
        guest.turns.release()
        self._leave(guest)
        self.unanswered += not work.cancelled() and isinstance(work.exception(), StoreError | BrokerError)

    def _leave(self, guest: "_Guest") -> None:
        guest.open -= 1
        if guest.open == 0:
            del self._guests[guest.who]


class _Guest:
    """One viewer, with so many questions *open*: those that a thread reads for nobody any more, too."""

    def __init__(self, who: str, at_once: int) -> None:
        self.who = who
        self.turns = asyncio.Semaphore(at_once)
        self.open = 0
