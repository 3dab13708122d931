"""A PostgreSQL server of the tests' own: on a free port, in a temporary directory, as an unprivileged user.

Where the program is missing the tests fail, for without it nobody knows whether the event log works in production.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from headrace.localkafka.ports import free_ports

PATIENCE = 60.0
"""Seconds that the server may take to start."""

# Nothing here outlives a power cut, so nothing waits for the disk.
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=40", "shared_buffers=64MB")


class Server:
    """A server in a directory of its own. It may be stopped and started again, and keeps what it has stored."""

    def __init__(self, *settings: str) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="headrace-postgres-"))
        self._user = _unprivileged()
        self._port = free_ports()
        self._options = [f"-c{each}" for each in (*_SETTINGS, *settings)]
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://headrace@127.0.0.1:{self._port}/postgres"

    def create(self) -> None:
        """Make the files of an empty database."""
        if self._user is not None:
            os.chown(self._directory, pwd.getpwnam(self._user).pw_uid, -1)
        options = ("-U", "headrace", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        subprocess.run(
            [_program("initdb"), "-D", self._directory / "data", *options],
            user=self._user, cwd=self._directory, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self) -> None:
        """Start it, and return when it answers."""
        place = ("-D", self._directory / "data", "-p", str(self._port), "-k", self._directory, "-h", "127.0.0.1")
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_program("postgres"), *place, *self._options],
                user=self._user, cwd=self._directory, stdout=log, stderr=log,
            )  # fmt: skip
        _wait(self.url, self._process, self._directory / "log")

    def stop(self) -> None:
        """End it at once, with all its connections."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGQUIT)  # which ends its children too
            process.wait(30)

    def remove(self) -> None:
        """Give the disk back."""
        shutil.rmtree(self._directory, ignore_errors=True)


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """Run a server that may be hurt."""
    made = Server(*settings)
    try:
        made.create()
        made.start()
        yield made
    finally:
        made.stop()
        made.remove()


@contextmanager
def running(*settings: str) -> Iterator[str]:
    """Run a server, and yield the URL of a database of it."""
    with server(*settings) as made:
        yield made.url


def _unprivileged() -> str | None:
    """Name the user to run as; PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    users = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in users)


def _program(name: str) -> Path:
    """Find a program of PostgreSQL; Debian keeps those of the server beside the path."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (places[-1] if places else None)
    if found is None:
        raise RuntimeError(f"there is no {name}: install PostgreSQL (Debian: .ci/machine does it)")
    return Path(found)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
