"""Whose a part is: across forks, and when somebody removes what shows it."""

import fcntl
import os
import threading
import warnings
from pathlib import Path

import pytest

from headrace.emitter.claim import Claim


def _locks_in_a_child(directory: Path) -> int:
    """Fork, and count the locks in *directory* that the child has open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a process with threads forks
        child = os.fork()
    if child == 0:
        count = 0
        for file in Path("/proc/self/fd").iterdir():
            try:
                count += file.readlink().is_relative_to(directory)
            except OSError:
                continue
        os._exit(count)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_has_none_of_its_parents_locks_and_the_parent_keeps_them(tmp_path: Path) -> None:
    claim = Claim.found(tmp_path)

    assert _locks_in_a_child(tmp_path) == 0
    assert Claim.take(tmp_path, claim.part) is None
    claim.release()


def test_nobody_forks_while_a_lock_is_being_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the child would have one open that it knows nothing of, and keep it when its parent is gone."""
    flock = fcntl.flock
    is_open = threading.Event()

    def slow(lock: int, how: int) -> None:
        is_open.set()
        threading.Event().wait(0.02)
        flock(lock, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    claims: list[Claim] = []
    making = threading.Thread(target=lambda: claims.append(Claim.found(tmp_path)))
    making.start()
    is_open.wait()
    inherited = _locks_in_a_child(tmp_path)
    making.join()

    assert inherited == 0
    claims[0].release()


def test_a_childs_threads_may_claim_in_their_turn(tmp_path: Path) -> None:
    """What was locked for the fork is free again, in both."""
    child = os.fork()
    if child == 0:
        claiming = threading.Thread(target=Claim.found, args=(tmp_path,), daemon=True)
        claiming.start()
        claiming.join(5)
        os._exit(claiming.is_alive())

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    Claim.found(tmp_path).release()


def test_a_lock_that_somebody_removed_does_not_stand(tmp_path: Path) -> None:
    claim = Claim.found(tmp_path)
    assert claim.stands

    (tmp_path / f"{claim.part}.lock").unlink()
    assert not claim.stands
    (tmp_path / f"{claim.part}.lock").touch()
    assert not claim.stands
    claim.release()
    assert (tmp_path / f"{claim.part}.lock").exists()
