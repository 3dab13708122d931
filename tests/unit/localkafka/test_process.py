"""A broker's process is found again, ended, and never mistaken for another."""

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.localkafka.process import BrokerProcess

SLEEPER = ["/bin/sh", "-c", "echo hello; exec sleep 60"]
STUBBORN = ["/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path)
    yield process
    process.kill()


def said(process: BrokerProcess, word: str) -> None:
    deadline = time.monotonic() + 10
    while not process.log.exists() or word not in process.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_nothing_runs_at_first(process: BrokerProcess) -> None:
    assert process.pid() is None
    process.ask_to_end()
    process.end(0)


def test_a_process_is_found_by_another_object(process: BrokerProcess, tmp_path: Path) -> None:
    process.spawn(SLEEPER)

    pid = BrokerProcess(tmp_path).pid()

    assert pid is not None
    assert os.getsid(pid) == pid  # detached: it has a session of its own


def test_what_it_prints_is_its_log_and_the_last_log_is_kept(process: BrokerProcess, tmp_path: Path) -> None:
    for _ in range(2):
        process.spawn(SLEEPER)
        said(process, "hello")
        process.kill()

    assert process.log.read_text() == (tmp_path / "server.log.1").read_text() == "hello\n"
    assert process.last_words() == f"hello (in {process.log})"


def test_it_ends_when_asked(process: BrokerProcess) -> None:
    process.spawn(SLEEPER)
    process.ask_to_end()
    process.end(10)

    assert process.pid() is None


def test_it_is_killed_when_it_does_not_listen(process: BrokerProcess) -> None:
    process.spawn(STUBBORN)
    said(process, "deaf")
    process.ask_to_end()
    process.end(0)

    assert process.pid() is None


def test_a_stranger_with_the_same_process_id_is_left_alone(process: BrokerProcess, tmp_path: Path) -> None:
    """After a crash the system may give the noted process id to anybody, here to this test itself."""
    process.spawn(SLEEPER)
    process.kill()
    (tmp_path / "pid").write_text(str(os.getpid()))

    assert process.pid() is None
    process.ask_to_end()
    process.kill()


def test_two_who_look_at_once_do_not_take_each_other_for_the_broker(process: BrokerProcess, tmp_path: Path) -> None:
    process.spawn(SLEEPER)
    process.kill()

    with (tmp_path / "alive").open() as another:
        fcntl.flock(another, fcntl.LOCK_SH)

        assert process.pid() is None
