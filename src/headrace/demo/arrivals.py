"""Sees when the events of conversations come to stand in the event log, to a fiftieth of a second."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from types import TracebackType
from typing import Protocol, Self

from headrace.clock import Clock
from headrace.demo.chat import Conversation
from headrace.errors import StoreError
from headrace.eventlog.pages import Page
from headrace.eventlog.port import EventQuery, StoredEvent

LOOK_EVERY = 0.02
"""Seconds between two looks, while something is on its way."""

IDLE = 0.05
"""Seconds between two looks for somebody who waits."""


class Log(Protocol):
    """What is asked of an event log."""

    def find_events(self, query: EventQuery) -> Page[StoredEvent]: ...
    def close(self) -> None: ...


class Arrivals:
    """Looks in a thread of its own while the context lasts. *waiting* says of which conversations events are due."""

    def __init__(
        self, open_log: Callable[[], Log], waiting: Callable[[], Sequence[Conversation]], clock: Clock
    ) -> None:
        self._open = open_log
        self._waiting = waiting
        self._clock = clock
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="headrace-demo-arrivals", daemon=True)

    def _run(self) -> None:
        with closing(self._open()) as log:
            while not self._end.is_set():
                waiting = self._waiting()
                # A store that is busy, or not yet made, is asked again.
                with suppress(StoreError):
                    for conversation in waiting:
                        look(log, conversation, self._clock)
                self._end.wait(LOOK_EVERY if waiting else IDLE)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(5)


def look(log: Log, conversation: Conversation, clock: Clock) -> None:
    """Note which events of *conversation* stand in *log* now."""
    due = conversation.events.on_the_way()
    if not due:
        return
    query = EventQuery(org=conversation.org, session=conversation.session, seq_from=due[0].seq)
    found = log.find_events(query).rows
    conversation.events.arrived([event.id for event in found], clock.wall())
