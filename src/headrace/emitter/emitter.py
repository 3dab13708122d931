"""The emitter: what a bot makes once per process, and asks for its sessions' logs."""

import os
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

from headrace.broker.port import Broker
from headrace.emitter.backlog import Backlog
from headrace.emitter.carriage import Carriage
from headrace.emitter.courier import Courier
from headrace.emitter.encoding import Encoding
from headrace.emitter.intake import Intake
from headrace.emitter.journal import Journal
from headrace.emitter.placing import Ordering, Placing
from headrace.emitter.returns import Returns
from headrace.emitter.session import SessionLog
from headrace.emitter.settings import EmitterSettings
from headrace.emitter.stamp import Stamper
from headrace.emitter.syncing import Syncing
from headrace.emitter.tally import Stats

MESSAGE_BYTES = 4 << 20


class Emitter:
    """Takes events from any thread or task of a process, and from its forked children, and sends them to *topic*.

    Make one per process. `session(...).emit(...)` returns at once; a background thread sends to Kafka and, when Kafka
    does not take it, to the journal. At the end of the process, `close` is called by itself. A forked child begins
    anew at its first emit and sends what it emits, not what its parent did.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        topic: str,
        settings: EmitterSettings | None = None,
        ordering: Ordering = "any",
        max_message_bytes: int = MESSAGE_BYTES,
    ) -> None:
        self._broker = broker
        self._topic = topic
        self._settings = settings or EmitterSettings()
        self._ordering: Ordering = ordering
        self._most = max_message_bytes
        self._closed = False
        self._beginning = threading.Lock()
        self._begin()
        _emitters.add(self)

    def session(
        self, *, org: str, bot: str, session: str, seq: int = 0, traceparent: str | None = None, **data: Any
    ) -> SessionLog:
        """Return the log of a session; raise `UsageError` when a name is none.

        *seq* is the number of its first event, where another process stopped. *traceparent* (W3C Trace Context) goes
        with every event, and so does *data*. Without one, each event takes the context of the span in which it is
        emitted, where the application has configured OpenTelemetry before.
        """
        return SessionLog(self, org=org, bot=bot, session=session, seq=seq, traceparent=traceparent, data=data)

    def flush(self, timeout: float = 5.0) -> int:
        """Wait until Kafka has all, at most *timeout* seconds; return how many events are not acknowledged yet.

        It blocks: in asyncio, `await asyncio.to_thread(emitter.flush)`.
        """
        return self._courier.flush(timeout) if self._courier else 0

    def close(self, timeout: float | None = None) -> int:
        """Send what there is for *timeout* seconds (default `emitter.close_timeout`), and journal the rest.

        Return how many events are not acknowledged. Later emits are not taken, and counted; a second call does nothing.
        """
        self._closed = True
        left = 0
        if self._courier is not None:
            left = self._courier.close(self._settings.close_timeout if timeout is None else timeout)
            self._at_exit.detach()
        return left

    def stats(self) -> Stats:
        """Tell what was taken, spilled, dropped and acknowledged since this process began to use the emitter."""
        return self._courier.carriage.stats(self._unencodable) if self._courier else Stats()

    def _begin(self) -> None:
        settings = self._settings
        self._unencodable = 0
        self.stamp = Stamper()
        self.encode = Encoding(self._count_unencodable)
        placing = Placing(self._ordering)
        directory = Path(settings.journal_dir)
        journal = Journal(directory, capacity=settings.journal_bytes, segment_bytes=settings.memory // 16)
        intake = Intake(self._topic, journal, room=settings.memory // 8, most=self._most)
        returns = Returns()
        backlog = Backlog(journal, directory, intake=intake, returns=returns, partition=placing.of)
        carriage = Carriage(
            topic=self._topic,
            most=self._most,
            broker=self._broker,
            settings=settings,
            intake=intake,
            journal=journal,
            backlog=backlog,
            returns=returns,
            placing=placing,
        )
        self._courier: Courier | None = Courier(
            intake=intake,
            backlog=backlog,
            carriage=carriage,
            syncing=Syncing(journal, intake.lock, settings.journal_sync),
            tick=settings.linger / 2,
        )
        self._at_exit = weakref.finalize(self, self._courier.close, settings.close_timeout)
        _at_exit_of_multiprocessing(self._at_exit)
        self.take = intake.take if settings.durability == "memory" else intake.take_journaled

    def _count_unencodable(self) -> None:
        self._unencodable += 1

    def _begin_and_take(self, key: bytes, value: bytes) -> bool:
        """Take the first event of a forked child."""
        if self._closed:
            return False
        with self._beginning:
            if self._courier is None:
                self._begin()
        return self.take(key, value)

    def _leave_to_parent(self) -> None:
        """Forget, in a forked child, what belongs to the parent; the first emit begins anew."""
        self._at_exit.detach()
        if self._courier is not None:
            self._courier.abandon()
            self._courier = None
        self._beginning = threading.Lock()
        self._unencodable = 0
        self.stamp = Stamper()
        self.take = self._begin_and_take


_emitters: "weakref.WeakSet[Emitter]" = weakref.WeakSet()


def _after_fork() -> None:
    for emitter in list(_emitters):
        emitter._leave_to_parent()  # noqa: SLF001  the same file


os.register_at_fork(after_in_child=_after_fork)


def _at_exit_of_multiprocessing(close: "weakref.finalize[..., Emitter]") -> None:
    """Let a child of `multiprocessing` close: it ends by `os._exit`, which asks nobody but multiprocessing itself."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, close, exitpriority=0)
