from pathlib import Path
from threading import Thread

import pytest

from headrace.emitter.claim import size
from headrace.emitter.intake import ENTRY_BYTES, Intake
from headrace.emitter.journal import Journal
from headrace.wire.journal import Frame, read

VALUE = b"x" * 100
EVENT = len(b"k") + len(VALUE) + ENTRY_BYTES


def _intake(directory: Path, *, room: int = 10 * EVENT, most: int = 1000, capacity: int = 1 << 20) -> Intake:
    return Intake("t", Journal(directory, capacity=capacity, segment_bytes=1 << 16), room=room, most=most)


def _journaled(directory: Path) -> list[bytes]:
    found = [frame for path in sorted(directory.glob("*.seg")) for frame in read(path.read_bytes())]
    return [frame.value for frame in found if isinstance(frame, Frame)]


def test_an_emit_touches_no_disk_while_there_is_room(tmp_path: Path) -> None:
    intake = _intake(tmp_path / "journal")

    assert all(intake.take(b"k", VALUE) for _ in range(10))

    assert len(intake.waiting) == 10
    assert not (tmp_path / "journal").exists()


def test_a_full_queue_makes_room_in_the_journal_oldest_first(tmp_path: Path) -> None:
    intake = _intake(tmp_path)

    assert all(intake.take(b"k", b"%d" % number + VALUE) for number in range(25))

    values = _journaled(tmp_path) + [value for _, value in intake.waiting]
    assert values == [b"%d" % number + VALUE for number in range(25)]
    assert intake.taken == 25
    assert intake.spilled == 25 - len(intake.waiting)


def test_a_full_journal_is_told_by_the_emit_that_finds_it_full(tmp_path: Path) -> None:
    intake = _intake(tmp_path, capacity=EVENT)

    taken = [intake.take(b"k", VALUE) for _ in range(15)]

    assert taken == [True] * 10 + [False] * 5
    assert intake.dropped == {"journal_full": 5}
    assert len(intake.waiting) == intake.taken == 10


def test_a_disk_that_refuses_costs_no_exception(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file stands where the directory should be")
    intake = _intake(tmp_path / "journal")

    taken = [intake.take(b"k", VALUE) for _ in range(15)]

    assert taken == [True] * 10 + [False] * 5
    assert intake.dropped == {"journal_failed": 5}


def test_an_event_that_kafka_would_never_take_is_not_taken(tmp_path: Path) -> None:
    intake = _intake(tmp_path, most=500)

    assert not intake.take(b"k", b"x" * 501)
    assert not intake.take_journaled(b"k", b"x" * 501)
    assert intake.dropped == {"too_large": 2}


def test_a_closed_intake_takes_nothing(tmp_path: Path) -> None:
    intake = _intake(tmp_path)
    intake.closed = True

    assert not intake.take(b"k", VALUE)
    assert not intake.take_journaled(b"k", VALUE)
    assert intake.dropped == {"closed": 2}


def test_a_lock_that_does_not_come_back_is_not_waited_for(tmp_path: Path) -> None:
    """The courier holds it while a disk hangs: the emit that finds the queue full drops, and says so."""
    intake = _intake(tmp_path)
    for _ in range(10):
        intake.take(b"k", VALUE)

    with intake.lock:
        taken = [intake.take(b"k", VALUE) for _ in range(3)]

    assert taken == [False] * 3
    assert intake.dropped == {"journal_failed": 3}


def test_with_durability_journal_an_event_is_on_disk_when_the_emit_returns(tmp_path: Path) -> None:
    intake = _intake(tmp_path)

    assert intake.take_journaled(b"k", VALUE)

    assert _journaled(tmp_path) == [VALUE]
    assert not intake.waiting


def test_a_sleeping_courier_is_woken(tmp_path: Path) -> None:
    intake = _intake(tmp_path)
    intake.take(b"k", VALUE)
    assert not intake.wake.is_set()

    intake.asleep = True
    intake.take(b"k", VALUE)

    assert intake.wake.is_set()


@pytest.mark.parametrize("threads", [4])
def test_threads_lose_nothing_between_them(tmp_path: Path, threads: int) -> None:
    intake = _intake(tmp_path)

    def run(name: int) -> None:
        for number in range(100):
            assert intake.take(b"k", b"%d-%d" % (name, number) + VALUE)

    running = [Thread(target=run, args=(name,)) for name in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()

    values = _journaled(tmp_path) + [value for _, value in intake.waiting]
    assert sorted(values) == sorted(b"%d-%d" % (n, i) + VALUE for n in range(threads) for i in range(100))
    assert size(tmp_path) > 0
