import errno
import os
import shutil
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emitting import Emitting, ObedientProducer
from headrace.emitter.backlog import CUT
from headrace.emitter.placing import Ordering
from headrace.errors import BrokerUnavailable, RecordTooLarge
from headrace.wire.journal import MAGIC, encode

MISHAPS = st.none() | st.randoms(use_true_random=False)
PART = "0123456789abcdef" * 2


def test_events_go_to_kafka_in_the_order_of_their_emits(tmp_path: Path, producer: ObedientProducer) -> None:
    river = Emitting(tmp_path, producer)
    river.emit(300)
    river.drain()

    stats = river.carriage.stats()
    assert producer.acknowledged == river.values(300)
    assert (stats.taken, stats.acknowledged, stats.unacknowledged, stats.spilled) == (300, 300, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_kafka_does_not_take_is_journaled_and_sent_later(tmp_path: Path, producer: ObedientProducer) -> None:
    producer.room = 100
    river = Emitting(tmp_path, producer)
    river.emit(500)
    river.step(20)

    stats = river.carriage.stats()
    assert (stats.in_memory, stats.in_journal, stats.spilled) == (100, 400, 400)

    river.drain()
    stats = river.carriage.stats()
    assert sorted(producer.acknowledged) == river.values(500)
    assert (stats.acknowledged, stats.unacknowledged) == (500, 0)
    river.carriage.finish()
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["session", "org"]),
    st.sampled_from(["memory", "journal"]),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(1, 80), MISHAPS), min_size=1, max_size=15),
)
def test_under_ordering_no_event_overtakes_another(
    ordering: Ordering, durability: str, moments: list[tuple[int, int, int, Random | None]]
) -> None:
    """However much room the producer has, whatever is acknowledged when, and whatever comes back in what order."""
    producer = ObedientProducer()
    with TemporaryDirectory() as directory:
        river = Emitting(Path(directory), producer, ordering, room=5000)
        for emits, answers, room, mishap in moments:
            producer.room = room
            river.emit(emits, durability)
            river.step(answer=answers)
            if mishap:
                river.lose_what_is_under_way(mishap)
        river.drain()

        assert producer.acknowledged == river.values(river.emitted)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(0, 100), st.integers(0, 60), st.randoms(use_true_random=False))
def test_what_is_left_at_the_end_is_sent_in_the_order_of_its_emits(
    room: int, answers: int, mishap: int, random: Random
) -> None:
    """Whether it was under way, came back already, or was in memory; Kafka has some of it twice, none of it late."""
    producer = ObedientProducer(room)
    with TemporaryDirectory() as directory:
        last = Emitting(Path(directory), producer, "session", room=5000)
        last.emit(80)
        last.step(2, answer=answers)
        last.emit(20, "journal")
        last.step()
        for _ in range(min(mishap, len(producer.held))):
            producer.tell(random.randrange(len(producer.held)), BrokerUnavailable("gone"))
        last.carriage.finish()
        heir_producer = ObedientProducer()
        heir = Emitting(Path(directory), heir_producer, "session")
        heir.drain()

        seen = dict.fromkeys(producer.acknowledged + heir_producer.acknowledged)
        assert sorted(seen) == last.values(100)
        assert list(dict.fromkeys(heir_producer.acknowledged)) == sorted(heir_producer.acknowledged)


def test_the_events_of_the_last_process_go_before_those_of_the_next(tmp_path: Path) -> None:
    """The session goes on in the next process before its courier has looked at the journal."""
    last = Emitting(tmp_path, ObedientProducer(0), "session")
    last.emit(50, "journal")
    last.kill()
    producer = ObedientProducer()
    heir = Emitting(tmp_path, producer, "session")
    heir.emitted = 50
    heir.emit(50)
    heir.drain()

    assert producer.acknowledged == heir.values(100)


def test_org_ordering_journals_until_the_partitions_are_known(tmp_path: Path, producer: ObedientProducer) -> None:
    producer.known_partitions = None
    river = Emitting(tmp_path, producer, "org")
    river.emit(10)
    river.step(5)
    assert producer.held == []

    producer.known_partitions = 12
    river.step(200)
    assert [sent.value for sent in producer.held] == river.values(10)
    assert len({sent.partition for sent in producer.held}) == 1


def test_a_segment_is_deleted_only_when_all_of_it_is_acknowledged(tmp_path: Path, producer: ObedientProducer) -> None:
    """The one that is still written to is emptied instead."""
    producer.room = 0
    river = Emitting(tmp_path, producer)
    river.emit(60)
    river.step()
    river.intake.journal([encode(b"t", b"o/s", b"{}")])
    first, second = sorted(tmp_path.glob("*.seg"))

    producer.room = 100
    river.step(3)
    assert len(producer.held) == 61
    river.step(answer=59)
    assert first.exists()
    river.step(answer=1)
    assert not first.exists()
    assert second.stat().st_size > len(MAGIC)
    river.step(2, answer=1)
    assert second.stat().st_size == len(MAGIC)


def test_a_segment_that_is_read_along_is_ended_in_time_to_be_deleted(tmp_path: Path) -> None:
    """With something always under way it can never be emptied, and a kill must not send all of it again."""
    producer = ObedientProducer()
    river = Emitting(tmp_path, producer, segment=4 << 20)
    for _ in range(150):
        assert river.intake.take_journaled(b"o/s", b'{"text":"%s"}' % (b"x" * 10_000))
        river.step(answer=max(0, len(producer.held) - 5))

    assert sum(path.stat().st_size for path in tmp_path.glob("*.seg")) <= CUT + 20_000


def test_the_next_process_sends_what_the_last_one_left(tmp_path: Path, producer: ObedientProducer) -> None:
    producer.room = 30
    last = Emitting(tmp_path, producer, "session", room=3000)
    last.emit(100)
    last.step()
    last.carriage.finish()
    left = last.carriage.stats()

    heir_producer = ObedientProducer()
    heir = Emitting(tmp_path, heir_producer, "session")
    heir.drain()

    assert (left.in_memory, left.in_journal) == (0, 100)
    assert heir_producer.acknowledged == last.values(100)
    assert heir.carriage.stats().recovered == 100
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_keeps_its_journal(tmp_path: Path, producer: ObedientProducer) -> None:
    producer.room = 0
    living = Emitting(tmp_path, producer)
    living.emit(10)
    living.step()

    other_producer = ObedientProducer()
    other = Emitting(tmp_path, other_producer)
    other.step(5)

    assert other_producer.held == []
    assert len(list(tmp_path.glob("*.seg"))) == 1


def test_a_record_that_failed_is_journaled_and_sent_again(tmp_path: Path, producer: ObedientProducer) -> None:
    """A topic that is missing, say: `topics apply` makes it, and nothing is lost meanwhile."""
    river = Emitting(tmp_path, producer)
    river.emit(10)
    river.step()
    producer.answer(10, BrokerUnavailable("gone"))
    river.drain()

    assert sorted(producer.acknowledged) == river.values(10)
    assert river.carriage.stats().acknowledged == 10


def test_a_record_that_kafka_will_never_take_is_dropped_and_counted(tmp_path: Path, producer: ObedientProducer) -> None:
    river = Emitting(tmp_path, producer)
    river.emit(2)
    river.step()
    producer.answer(1, RecordTooLarge("above max.message.bytes"))
    river.drain()

    stats = river.carriage.stats()
    assert stats.dropped == {"too_large": 1}
    assert (stats.acknowledged, stats.unacknowledged) == (1, 0)


def test_damage_in_the_journal_is_counted_and_set_aside(tmp_path: Path, producer: ObedientProducer) -> None:
    producer.room = 0
    last = Emitting(tmp_path, producer)
    last.emit(10)
    last.step()
    last.carriage.finish()
    [segment] = tmp_path.glob("*.seg")
    content = bytearray(segment.read_bytes())
    content[200] ^= 0xFF
    segment.write_bytes(content)

    heir_producer = ObedientProducer()
    heir = Emitting(tmp_path, heir_producer)
    heir.drain()

    assert len(heir_producer.acknowledged) == 9
    assert heir.carriage.stats().damaged == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".damaged"]


def test_a_frame_that_is_damaged_before_it_is_sent_again_is_counted(tmp_path: Path) -> None:
    """It was whole when it was read first; the file is set aside as it is."""
    producer = ObedientProducer()
    river = Emitting(tmp_path, producer)
    river.emit(3, "journal")
    river.step()
    producer.answer(3, BrokerUnavailable("gone"))
    river.step()
    [segment] = tmp_path.glob("*.seg")
    segment.write_bytes(segment.read_bytes()[:-1])
    river.drain()
    stats = river.carriage.stats()
    river.carriage.finish()

    assert producer.acknowledged == river.values(2)
    assert (stats.dropped, stats.damaged, stats.unacknowledged) == ({"journal_lost": 1}, 1, 0)
    assert [path.suffix for path in tmp_path.iterdir()] == [".damaged"]


def test_a_segment_that_cannot_be_read_is_left_where_it_is(tmp_path: Path, producer: ObedientProducer) -> None:
    (tmp_path / f"{PART}-00010001.seg").mkdir()
    river = Emitting(tmp_path, producer)
    river.emit(1)
    river.drain()

    assert river.carriage.stats().damaged == 1
    assert (tmp_path / f"{PART}-00010001.seg").exists()


def test_what_no_journal_takes_at_the_end_is_counted(tmp_path: Path, producer: ObedientProducer) -> None:
    (tmp_path / "file").write_text("in the way")
    river = Emitting(tmp_path / "file", producer)
    river.emit(10)
    river.step()
    river.emit(5)
    river.carriage.finish()

    stats = river.carriage.stats()
    assert stats.dropped == {"journal_failed": 15}
    assert stats.unacknowledged == 0


def test_a_directory_that_vanishes_loses_nothing_that_is_read_along(tmp_path: Path) -> None:
    """Its files are still open; a second later the journal goes on in a new part."""
    directory = tmp_path / "journal"
    producer = ObedientProducer(0)
    river = Emitting(directory, producer)
    river.emit(5, "journal")
    river.pass_(0.01)
    shutil.rmtree(directory)
    river.emit(5, "journal")
    river.pass_(1.0)
    river.emit(5, "journal")
    assert len(list(directory.glob("*.seg"))) == 1
    river.drain()

    assert producer.acknowledged == river.values(15)
    river.carriage.finish()
    assert list(directory.iterdir()) == []


def test_segments_that_vanish_unread_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    producer = ObedientProducer(0)
    river = Emitting(tmp_path / "journal", producer)
    river.pass_(0.01)
    river.emit(150, "journal")
    segments = len(list((tmp_path / "journal").glob("*.seg")))
    shutil.rmtree(tmp_path / "journal")
    river.drain()

    stats = river.carriage.stats()
    assert segments == 3
    assert stats.dropped == {"journal_lost": 150 - len(producer.acknowledged)}
    assert stats.damaged == len(caplog.messages) == 2
    assert stats.unacknowledged == 0


def test_a_journal_that_takes_nothing_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    river = Emitting(tmp_path, ObedientProducer())
    (tmp_path / "file").write_text("in the way")
    river.journal._directory = tmp_path / "file"
    taken = [river.intake.take_journaled(b"o/s", b"{}") for _ in range(3)]
    river.pass_(1.1)
    river.pass_(1.1)

    assert taken == [False] * 3
    assert river.carriage.stats().dropped == {"journal_failed": 3}
    [sentence] = [message for message in caplog.messages if "takes no events" in message]
    assert "File exists" in sentence


def test_a_full_disk_at_the_end_costs_nothing_that_was_journaled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Kafka has of a segment cannot be taken out of it then, so it stays whole, and some is sent twice."""
    producer = ObedientProducer(20)
    last = Emitting(tmp_path, producer)
    last.emit(30, "journal")
    last.step(2, answer=10)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        last.carriage.finish()
    heir_producer = ObedientProducer()
    Emitting(tmp_path, heir_producer).drain()

    assert last.carriage.stats().dropped == {}
    assert set(producer.acknowledged) | set(heir_producer.acknowledged) == set(last.values(30))
