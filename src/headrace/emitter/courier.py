"""The courier: the background thread of an emitter in one process, and that process's end of it."""

import ctypes
import logging
import threading
import time

from headrace.emitter.backlog import Backlog
from headrace.emitter.carriage import CHUNK, Carriage
from headrace.emitter.intake import Intake
from headrace.emitter.syncing import Syncing

_BUSY_PAUSE = 0.001
_ACTIVE = 0.5
"""After so many seconds with nothing to move the courier sleeps until it is woken, or for a nap."""

_NAP = 0.1
_RECOVERY = 1.0

_log = logging.getLogger("headrace.emitter")


class Courier:
    """Runs *carriage* every *tick* seconds until `close`."""

    def __init__(self, *, intake: Intake, backlog: Backlog, carriage: Carriage, syncing: Syncing, tick: float) -> None:
        self.intake = intake
        self.carriage = carriage
        self._backlog = backlog
        self._syncing = syncing
        self._tick = tick
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._run, name="headrace-courier", daemon=True)
        self._thread.start()

    def flush(self, timeout: float) -> int:
        """Wait until all is acknowledged, at most *timeout* seconds; return how many events are not."""
        deadline = time.monotonic() + timeout
        while (left := self.carriage.stats().unacknowledged) and time.monotonic() < deadline:
            self.intake.wake.set()
            time.sleep(min(self._tick, max(0.0, deadline - time.monotonic())))
        return left

    def close(self, timeout: float) -> int:
        """Take nothing more, send for *timeout* seconds, journal the rest; return how many are not acknowledged."""
        self.intake.closed = True
        if self._deadline is None:
            self._deadline = time.monotonic() + timeout
        self.intake.wake.set()
        self._thread.join(timeout + _RECOVERY)
        return self.carriage.stats().unacknowledged

    def abandon(self) -> None:
        """In a forked child: let go of what belongs to the parent, touching neither its disk nor its producer.

        The producer's threads do not exist here, and destroying it waits for them for ever; so it gets one reference
        that is never given back.
        """
        self._backlog.abandon()
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.carriage.producer))

    def _run(self) -> None:
        active_until = 0.0
        while not self._is_over(time.monotonic()):
            try:
                now = time.monotonic()
                moved = self.carriage.step(now)
                self._syncing.step(now)
            except Exception:  # noqa: BLE001  without its courier an emitter would fill up for ever
                _log.exception("the courier goes on after an error that should not be")
                time.sleep(_RECOVERY)
                continue
            now = time.monotonic()
            if moved:
                active_until = now + _ACTIVE
            if now < active_until or self._deadline is not None:
                time.sleep(_BUSY_PAUSE if moved >= CHUNK else self._tick)
            else:
                self._nap()
        self.carriage.finish()
        self._syncing.finish()

    def _nap(self) -> None:
        intake = self.intake
        intake.wake.clear()
        intake.asleep = True
        if not intake.waiting:  # looked at after `asleep` is said, so no wake-up is missed
            intake.wake.wait(_NAP)
        intake.asleep = False

    def _is_over(self, now: float) -> bool:
        if self._deadline is None:
            return False
        return now >= self._deadline or not (self.carriage.stats().unacknowledged or self._backlog.busy)
