import errno
import os
from itertools import cycle
from pathlib import Path

import pytest

from headrace.emitter.claim import Claim, parts, size
from headrace.emitter.journal import REFUSAL, Journal, JournalRefused
from headrace.testing.clock import FakeClock
from headrace.wire.journal import MAGIC, Frame, encode, read

PART = "0123456789abcdef" * 2
FRAME = encode(b"t", b"k", b"v" * 100)


def _journal(
    directory: Path, *, capacity: int = 1 << 20, segment: int = 300, clock: FakeClock | None = None
) -> Journal:
    clock = clock or FakeClock()
    return Journal(directory, capacity=capacity, segment_bytes=segment, clock=clock.monotonic)


def _values(path: Path) -> list[bytes]:
    return [frame.value for frame in read(path.read_bytes()) if isinstance(frame, Frame)]


def test_nothing_is_made_before_there_is_something_to_keep(tmp_path: Path) -> None:
    journal = _journal(tmp_path / "a" / "b")

    assert not journal
    assert journal.next() is None
    assert not (tmp_path / "a").exists()


def test_segments_are_bounded_and_come_out_in_order(tmp_path: Path) -> None:
    journal = _journal(tmp_path)
    for number in range(6):
        journal.append([encode(b"t", b"k", b"%d" % number + b"v" * 100)])

    segments = []
    while segment := journal.next():
        segments.append(segment.path)

    assert [value[:1] for segment in segments for value in _values(segment)] == [b"%d" % n for n in range(6)]
    assert len(segments) == 3
    assert not journal


def test_what_is_journaled_is_readable_by_nobody_else(tmp_path: Path) -> None:
    journal = _journal(tmp_path / "journal")
    journal.append([FRAME])

    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "journal").iterdir())


def test_the_cap_is_on_the_directory(tmp_path: Path) -> None:
    """Two processes that share it share the cap."""
    one = _journal(tmp_path, capacity=1000, segment=125)
    other = _journal(tmp_path, capacity=1000, segment=125)

    def append_for_ever() -> None:
        for journal in cycle([one, other]):
            journal.append([FRAME])

    with pytest.raises(JournalRefused) as refused:
        append_for_ever()

    assert refused.value.reason == "journal_full"
    assert 700 < size(tmp_path) <= 1000


def test_a_refusal_stands_for_a_second_or_until_there_is_room(tmp_path: Path) -> None:
    clock = FakeClock()
    journal = _journal(tmp_path, capacity=240, segment=1, clock=clock)
    journal.append([FRAME])
    with pytest.raises(JournalRefused):
        journal.append([FRAME])
    segment = journal.next()
    assert segment is not None

    segment.path.unlink()
    with pytest.raises(JournalRefused):
        journal.append([FRAME])
    clock.advance(REFUSAL)
    journal.append([FRAME])
    with pytest.raises(JournalRefused):
        journal.append([FRAME])
    segment = journal.next()
    assert segment is not None
    journal.delete(segment.path)
    journal.append([FRAME])


def test_a_write_that_fails_half_way_leaves_no_half_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = _journal(tmp_path, segment=10_000)
    journal.append([FRAME])
    write = os.pwrite
    fails = [True]

    def short_then_full(fd: int, chunk: bytes, at: int) -> int:
        if not fails.pop():
            raise OSError(errno.ENOSPC, "No space left on device")
        fails.append(False)
        return write(fd, chunk[:10], at)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", short_then_full)
        with pytest.raises(JournalRefused) as refused:
            journal.append([FRAME])
    segment = journal.next()

    assert refused.value.reason == "journal_failed"
    assert segment is not None
    assert segment.path.read_bytes() == MAGIC + FRAME


def test_rewound_frames_go_before_all_others(tmp_path: Path) -> None:
    """At the end of a process, what was in memory is older than what lies in the journal."""
    journal = _journal(tmp_path)
    for number in (2, 3):
        journal.append([encode(b"t", b"k", b"%d" % number + b"v" * 300)])
    journal.rewind()
    for number in (0, 1):
        journal.append([encode(b"t", b"k", b"%d" % number + b"v" * 300)])
    journal.forward()
    journal.append([encode(b"t", b"k", b"4")])
    journal.close()

    [part] = parts(tmp_path)
    claim = Claim.take(tmp_path, part)
    assert claim is not None
    assert [value[:1] for path in claim.segments() for value in _values(path)] == [b"0", b"1", b"2", b"3", b"4"]
    claim.release()


def test_a_part_has_one_owner(tmp_path: Path) -> None:
    claim = Claim.found(tmp_path)

    assert Claim.take(tmp_path, claim.part) is None
    claim.path(1).write_bytes(MAGIC)
    claim.release()
    heir = Claim.take(tmp_path, claim.part)
    assert heir is not None
    assert heir.segments() == [claim.path(1)]
    heir.release()


def test_a_part_without_segments_leaves_nothing_behind(tmp_path: Path) -> None:
    claim = Claim.found(tmp_path)
    claim.release()

    assert list(tmp_path.iterdir()) == []


def test_segments_whose_lock_was_removed_can_still_be_claimed(tmp_path: Path) -> None:
    (tmp_path / f"{PART}-00000001.seg").write_bytes(MAGIC)

    assert list(parts(tmp_path)) == [PART]
    claim = Claim.take(tmp_path, PART)
    assert claim is not None
    claim.release()


def test_a_directory_that_is_not_there_has_no_parts(tmp_path: Path) -> None:
    assert list(parts(tmp_path / "nowhere")) == []
