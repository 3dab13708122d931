"""What may lie in the journal's directory: nothing of it stops an emitter, and each is named once."""

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emitting import Emitting, ObedientProducer
from headrace.wire.journal import MAGIC, encode

PART = "0123456789abcdef" * 2
SEGMENT = f"{PART}-00010001.seg"


def _unreadable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(MAGIC + encode(b"t", b"o/s", b"{}"))
    open_ = os.open

    def refuse(name: Any, *arguments: Any, **more: Any) -> int:
        if Path(name) == path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_(name, *arguments, **more)

    monkeypatch.setattr(os, "open", refuse)


STRANGE: dict[str, tuple[str, Callable[[Path, pytest.MonkeyPatch], object], str, int]] = {
    "directory": (SEGMENT, lambda path, _: path.mkdir(), "no plain file", 1),
    "pipe": (SEGMENT, lambda path, _: os.mkfifo(path), "no plain file", 1),
    "link": (SEGMENT, lambda path, _: path.symlink_to(path), "Too many levels of symbolic links", 1),
    "unreadable": (SEGMENT, _unreadable, "Permission denied", 1),
    "empty": (SEGMENT, lambda path, _: path.touch(), "empty", 0),
    "noise": (SEGMENT, lambda path, _: path.write_bytes(b"MZ" * 500), "set aside", 1),
    "stranger": ("notes.txt", lambda path, _: path.write_text("mine"), "no part of the journal", 0),
    "name alike": ("abc-00000001.seg", lambda path, _: path.write_bytes(MAGIC), "no part of the journal", 0),
    "no lock": (f"{PART}.lock", lambda path, _: path.mkdir(), "cannot be claimed", 0),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_does_not_belong_there_is_named_once_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    file, make, word, damaged = STRANGE[name]
    make(tmp_path / file, monkeypatch)
    producer = ObedientProducer()
    river = Emitting(tmp_path, producer)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            river.emit(5, "journal")
            river.pass_(11)
            river.drain()

    [sentence] = caplog.messages
    assert word in sentence
    assert str(tmp_path) in sentence
    assert producer.acknowledged == river.values(15)
    assert river.carriage.stats().damaged == damaged
    river.carriage.finish()


@pytest.mark.parametrize("name", ["stranger", "name alike", "directory", "unreadable"])
def test_what_does_not_belong_there_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    file, make, _, _ = STRANGE[name]
    make(tmp_path / file, monkeypatch)
    river = Emitting(tmp_path, ObedientProducer())
    river.drain()
    river.carriage.finish()

    assert (tmp_path / file).exists()


def test_a_directory_that_cannot_be_read_is_named_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "journal").write_text("a file, where the directory should be")
    river = Emitting(tmp_path / "journal", ObedientProducer())
    river.pass_(11)
    river.pass_(11)

    [sentence] = caplog.messages
    assert "Not a directory" in sentence


def test_damage_that_finds_no_room_beside_its_segment_keeps_the_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk must not cost the bytes that somebody may want to look at."""
    (tmp_path / SEGMENT).write_bytes(MAGIC + b"damage" + encode(b"t", b"o/s", b"{}"))
    beside = (tmp_path / SEGMENT).with_suffix(".damaged")
    open_ = os.open

    def full(name: Any, *arguments: Any, **more: Any) -> int:
        if Path(name) == beside:
            raise OSError(errno.ENOSPC, "No space left on device")
        return open_(name, *arguments, **more)

    monkeypatch.setattr(os, "open", full)
    producer = ObedientProducer()
    river = Emitting(tmp_path, producer)
    river.drain()

    assert producer.acknowledged == [b"{}"]
    assert beside.read_bytes().startswith(MAGIC + b"damage")
    assert not (tmp_path / SEGMENT).exists()


def test_damage_is_set_aside_once_however_often_it_is_read(tmp_path: Path) -> None:
    """The first process that reads it is killed before Kafka has the rest."""
    (tmp_path / SEGMENT).write_bytes(MAGIC + b"one" + encode(b"t", b"o/s", b"{}") + b"two")
    first = Emitting(tmp_path, ObedientProducer())
    first.pass_(1)
    first.kill()
    Emitting(tmp_path, ObedientProducer()).drain()

    [left] = tmp_path.iterdir()
    assert left.read_bytes() == b"onetwo"
