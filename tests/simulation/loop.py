"""An event loop whose every step is an act on the timeline, so that it can be interleaved with its owner thread."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from random import Random
from typing import Any, TypeVarTuple, Unpack

from simulation.timeline import Doer, Timeline

Args = TypeVarTuple("Args")

IDLE_STRETCH = 5.0
"""How much longer a worker that holds nothing sleeps between its looks: time that nobody uses costs real time."""


class Loop(asyncio.AbstractEventLoop):
    """As much of an event loop as delivery needs: callbacks, timers, futures and tasks."""

    def __init__(self, timeline: Timeline, doer: Doer, random: Random) -> None:
        self._timeline = timeline
        self._doer = doer
        self._random = random
        self._ready: deque[asyncio.Handle] = deque()
        self._is_armed = False
        self._handed_over_at = 0.0
        self.is_idle: Callable[[], bool] = lambda: False
        self.complaints: list[str] = []

    def time(self) -> float:
        return self._timeline.now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **_: Any) -> "asyncio.Task[Any]":  # type: ignore[override]
        return asyncio.Task(coro, loop=self)

    def call_soon(
        self, callback: Callable[[Unpack[Args]], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._make_ready(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Args]], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        """Hand over from the owner thread: it takes a moment, and keeps its order."""
        handle = asyncio.Handle(callback, args, self, context)
        self._handed_over_at = max(self._handed_over_at + 1e-6, self._timeline.now + self._random.random() * 0.003)
        self._timeline.after(self._handed_over_at - self._timeline.now, lambda: self._make_ready(handle), self._doer)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Args]], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        if delay >= 0.1 and self.is_idle():
            delay *= IDLE_STRETCH
        handle = asyncio.TimerHandle(self._timeline.now + delay, callback, args, self, context)
        self._timeline.after(max(0.0, delay), lambda: self._make_ready(handle), self._doer)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Args]], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_later(when - self._timeline.now, callback, *args, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    def abandon(self, last: Coroutine[Any, Any, None], tasks: Sequence["asyncio.Task[None]"]) -> None:
        """Cancel *tasks*, and run *last* to its end with all that it wakes."""
        for task in tasks:
            task.cancel()
        self.create_task(last)
        while self._ready:
            self.run_ready()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing: a cancelled handle is left out when its time comes."""

    def _make_ready(self, handle: asyncio.Handle) -> None:
        self._ready.append(handle)
        if not self._is_armed:
            self._is_armed = True
            self._timeline.after(0.0, self.run_ready, self._doer)

    def run_ready(self) -> None:
        """Run what is ready now, as one iteration of asyncio's own loop does."""
        self._is_armed = False
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(before)
        if self._ready and not self._is_armed:
            self._is_armed = True
            self._timeline.after(0.0, self.run_ready, self._doer)
