"""Several worker processes under one parent, which spawns, restarts and stops them, and does nothing else.

It imports neither the event loop nor the Kafka client, since a process that has threads must not be the one that
starts others.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

import structlog

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
"""Seconds before a worker that died is started again, doubling while it keeps dying."""

STEADY_AFTER = 30.0
"""Seconds that a worker must live for its back-off to begin anew."""

HOPELESS_WITHIN = 10.0
"""A worker that ends with exit code 1 so many seconds after its first start cannot start at all."""

_PR_SET_PDEATHSIG = 1

log = structlog.get_logger(__name__)


def end_with_parent(parent: int) -> None:
    """Let the kernel send this process SIGTERM when its parent dies (prctl(2), PR_SET_PDEATHSIG).

    *parent* is the process id that the parent had: if it is gone already, there is nobody left to work for.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


class _Seat:
    """A place for one worker process, whoever sits in it now."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self.backoff = FIRST_BACKOFF
        self.starts = 0
        self.starts_at = 0.0
        self.started = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, now: float) -> None:
        self.starts += 1
        self.started = now
        self.process = subprocess.Popen(self._command)

    def bury(self, now: float) -> None:
        """Note a death, and when the next one may sit down."""
        self.backoff = FIRST_BACKOFF if now - self.started > STEADY_AFTER else min(self.backoff * 2, LONGEST_BACKOFF)
        self.starts_at = now + self.backoff
        self.process = None


class Supervisor:
    """Keeps *workers* processes of `headrace` with *arguments* running until SIGTERM or SIGINT, then drains them."""

    def __init__(self, workers: int, arguments: Sequence[str]) -> None:
        command = [sys.executable, "-m", "headrace", *arguments, "--parent", str(os.getpid())]
        self._seats = [_Seat([*command, "--seat", str(number)]) for number in range(workers)]
        self._stopping = False
        self._has_failed = False

    def run(self, drain: float) -> int:
        """Supervise until told to stop; return 0 when every worker then ended well within *drain* and a little."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self._stopping:
            self._look(time.monotonic())
            time.sleep(0.1)
        return self._finish(drain + 10)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _look(self, now: float) -> None:
        for seat in self._seats:
            if seat.process is not None and seat.process.poll() is not None:
                self._bury(seat, now)
            if seat.process is None and now >= seat.starts_at and not self._stopping:
                seat.start(now)

    def _bury(self, seat: _Seat, now: float) -> None:
        """Take a dead worker out of its seat. One that never could start has said why: trying again says it again."""
        assert seat.process is not None
        if seat.starts == 1 and seat.process.returncode == 1 and now - seat.started < HOPELESS_WITHIN:
            self._has_failed = self._stopping = True
        else:
            log.error("supervisor.worker_died", exit_code=seat.process.returncode, again_in=seat.backoff)
        seat.bury(now)

    def _finish(self, patience: float) -> int:
        running = [seat.process for seat in self._seats if seat.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        # A worker that is still starting does not listen yet: SIGTERM ends it, and it held nothing.
        clean = all(process.returncode in {0, -signal.SIGTERM} for process in running)
        return 0 if clean and not self._has_failed else 1
