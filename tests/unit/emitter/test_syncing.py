import errno
import os
import threading
from pathlib import Path

import pytest

from headrace.emitter.journal import Journal
from headrace.emitter.syncing import Syncing
from headrace.wire.journal import encode

FRAME = encode(b"t", b"k", b"v" * 100)


class Disk:
    """Remembers what was forced to it."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.journal = Journal(directory, capacity=1 << 20, segment_bytes=300)
        self.synced: list[str] = []
        self.error: OSError | None = None
        monkeypatch.setattr(os, "fsync", self._fsync)

    def syncing(self, interval: float = 1.0) -> Syncing:
        return Syncing(self.journal, threading.Lock(), interval)

    def _fsync(self, file: int) -> None:
        if self.error:
            raise self.error
        self.synced.append(Path(f"/proc/self/fd/{file}").readlink().name)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(tmp_path / "journal", monkeypatch)


def _step(syncing: Syncing, now: float) -> None:
    syncing.step(now)
    if syncing._thread:
        syncing._thread.join()


def test_what_was_written_is_forced_to_the_disk_once_in_an_interval(disk: Disk) -> None:
    """The sealed segments, the one that grows, and the directory that names them; nothing when nothing was written."""
    syncing = disk.syncing()
    for _ in range(3):
        disk.journal.append([FRAME])
    _step(syncing, 1.0)
    assert [name[-12:] for name in disk.synced] == ["00010001.seg", "00010002.seg", "journal"]

    disk.synced.clear()
    disk.journal.append([FRAME])
    _step(syncing, 1.9)
    assert disk.synced == []
    _step(syncing, 2.0)
    assert [name[-12:] for name in disk.synced] == ["00010002.seg", "journal"]
    _step(syncing, 9.0)
    assert len(disk.synced) == 2


def test_an_interval_of_zero_leaves_it_to_the_system(disk: Disk) -> None:
    syncing = disk.syncing(0.0)
    disk.journal.append([FRAME])
    _step(syncing, 1.0)
    syncing.finish()

    assert disk.synced == []


def test_the_end_waits_for_no_interval(disk: Disk) -> None:
    syncing = disk.syncing(3600)
    _step(syncing, 0.0)
    disk.journal.append([FRAME])
    syncing.finish()

    assert len(disk.synced) == 2


def test_a_segment_that_was_sent_meanwhile_needs_no_sync(disk: Disk) -> None:
    disk.journal.append([FRAME])
    written = disk.journal.next()
    assert written is not None
    disk.journal.delete(written.path)
    disk.syncing().finish()

    assert disk.synced == ["journal"]


def test_a_disk_that_fails_is_named_once(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    disk.error = OSError(errno.EIO, "Input/output error")
    syncing = disk.syncing()
    for now in (1.0, 2.0, 3.0):
        disk.journal.append([FRAME])
        _step(syncing, now)

    [sentence] = caplog.messages
    assert "Input/output error" in sentence
