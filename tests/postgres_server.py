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


@contextmanager
def running(*settings: str) -> Iterator[str]:
    """Run a server, and yield the URL of a database of it."""
    directory = Path(tempfile.mkdtemp(prefix="headrace-postgres-"))
    user = _unprivileged()
    if user is not None:
        os.chown(directory, pwd.getpwnam(user).pw_uid, -1)
    port = free_ports()
    server = None
    try:
        data = directory / "data"
        command: list[str | Path] = [
            _program("initdb"),
            "-D",
            data,
            "-U",
            "headrace",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        subprocess.run(command, user=user, cwd=directory, check=True, stdout=subprocess.DEVNULL)
        options = [f"-c{each}" for each in (*_SETTINGS, *settings)]
        with (directory / "log").open("wb") as log:
            server = subprocess.Popen(
                [_program("postgres"), "-D", data, "-p", str(port), "-k", directory, "-h", "127.0.0.1", *options],
                user=user, cwd=directory, stdout=log, stderr=log,
            )  # fmt: skip
        url = f"postgresql://headrace@127.0.0.1:{port}/postgres"
        _wait(url, server, directory / "log")
        yield url
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # which ends its children too
            server.wait(30)
        shutil.rmtree(directory, ignore_errors=True)


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
