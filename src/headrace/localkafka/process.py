"""One broker's process: started, found again by a later command, ended, and never mistaken for another.

A broker inherits a file lock that lives as long as it does. While the lock is held, the process that the directory
names is alive and is ours; a process id that the system gave to somebody else meanwhile is never signalled.
"""

import contextlib
import fcntl
import os
import signal
import time
from pathlib import Path

from headrace.errors import LocalKafkaError

_LOCK_DESCRIPTOR = 9
_WAIT = 0.05
# Between a start and the note of its process id there are microseconds.
_NAMED_WITHIN = 2.0


class BrokerProcess:
    """The process of the broker that lives in *directory*, running or not."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "server.log"
        self._lock = directory / "alive"
        self._pid = directory / "pid"
        self._child: int | None = None

    def pid(self) -> int | None:
        """Return the process id of the running broker; None when none runs."""
        deadline = time.monotonic() + _NAMED_WITHIN
        while self._is_alive():
            with contextlib.suppress(OSError, ValueError):
                return int(self._pid.read_text())
            if time.monotonic() >= deadline:
                raise LocalKafkaError(
                    f"a broker runs in {self.directory}, but {self._pid} does not name it: end it by hand"
                )
            time.sleep(_WAIT)
        return None

    def spawn(self, command: list[str]) -> None:
        """Run *command* detached from this process and its terminal; what it prints is its log; the last one is kept.

        The caller has seen to it that no broker runs here, and that nobody else starts one now.
        """
        self._reap()
        self._pid.unlink(missing_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_name("server.log.1"))
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._child = os.posix_spawn(
                command[0],
                command,
                os.environ,
                setsid=True,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                    (os.POSIX_SPAWN_DUP2, descriptor, _LOCK_DESCRIPTOR),
                ],
            )
        finally:
            os.close(descriptor)
        self._pid.write_text(str(self._child))

    def ask_to_end(self) -> None:
        """Send SIGTERM, and do not wait."""
        self._signal(signal.SIGTERM)

    def end(self, patience: float) -> None:
        """Wait until the broker is gone, as it was asked; after *patience* seconds kill it."""
        if not self._is_gone_within(patience):
            self.kill()

    def kill(self) -> None:
        """End the broker as a power cut would (SIGKILL); return when it is gone."""
        if self._signal(signal.SIGKILL) and not self._is_gone_within(10):
            raise LocalKafkaError(f"the broker in {self.directory} (process {self.pid()}) cannot be killed")

    def last_words(self) -> str:
        """Return the last error in the log, or its last line, and where the log is."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if " ERROR " in line]
        return f"{(errors or lines or ['it said nothing'])[-1].strip()} (in {self.log})"

    def _signal(self, number: signal.Signals) -> bool:
        pid = self.pid()
        if pid is None:
            return False
        os.kill(pid, number)
        return True

    def _is_alive(self) -> bool:
        try:
            descriptor = os.open(self._lock, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            # Shared, so that two who look at once do not take each other for the broker.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _is_gone_within(self, patience: float) -> bool:
        deadline = time.monotonic() + patience
        while self._is_alive():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_WAIT)
        self._reap()
        return True

    def _reap(self) -> None:
        """Take leave of the process if it is a child of this one."""
        if self._child is not None:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._child, 0)
            self._child = None
