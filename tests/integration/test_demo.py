"""The demo, as a newcomer starts it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest


def demo(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "headrace", "demo", "--dir", str(directory / "demo"), *arguments]
    return subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_once_ends_by_itself_with_books_that_balance(tmp_path: Path) -> None:
    running = demo(tmp_path, "--once", "--conversations", "60", "--seed", "7", "--json")
    time.sleep(0.5)
    second = demo(tmp_path, "--once", "--conversations", "1")
    _, refusal = second.communicate(timeout=60)
    output, told = running.communicate(timeout=150)

    assert running.returncode == 0, told
    books = json.loads(output.splitlines()[-1])
    assert books["balanced"]
    assert (books["lost"], books["retrying"], books["in_flight"]) == (0, 0, 0)
    assert books["retried"] > 0
    assert f"the event log holds {books['destinations']['log']['delivered']} events" in told
    assert second.returncode == 1
    assert refusal.startswith("headrace: another demo runs in ")


@pytest.mark.parametrize("conversations", ["0", "-3"])
def test_no_conversations_are_refused(tmp_path: Path, conversations: str) -> None:
    running = demo(tmp_path, "--once", f"--conversations={conversations}")
    _, told = running.communicate(timeout=30)

    assert running.returncode == 2
    assert told == f"headrace: --conversations {conversations}: there must be at least one\n"


def test_a_directory_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "precious").touch()

    running = demo(tmp_path, "--once")
    _, told = running.communicate(timeout=30)

    assert running.returncode == 1
    assert "holds something that is not the demo's" in told
    assert (tmp_path / "demo" / "precious").exists()
