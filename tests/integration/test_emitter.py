"""The emitter against a real Kafka: what is emitted arrives, whatever Kafka and the processes do meanwhile."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from emitter_river import NOBODY, PARTITIONS, River, event_of, finish
from headrace.broker.partitioning import partition_of
from headrace.emitter.emitter import Emitter
from headrace.emitter.placing import Ordering
from headrace.localkafka.cluster import LocalKafka
from headrace.model.units import Size


@pytest.fixture
def river(kafka: str, tmp_path: Path) -> River:
    river = River(kafka, tmp_path)
    river.create()
    return river


@pytest.fixture
def emitters(river: River) -> Iterator[Callable[..., Emitter]]:
    """Makes emitters that are closed at the end."""
    made: list[Emitter] = []

    def make(**settings: Any) -> Emitter:
        made.append(river.emitter(**settings))
        return made[-1]

    yield make
    for emitter in made:
        emitter.close(1)


@pytest.mark.parametrize("durability", ["memory", "journal"])
def test_asyncio_threads_and_plain_code_emit_alike(
    river: River, emitters: Callable[..., Emitter], durability: str
) -> None:
    emitter = emitters(durability=durability)

    def say(name: str, times: int) -> None:
        with emitter.session(org="o", bot="b", session=name) as log:
            for number in range(times):
                assert log.emit("said", said=f"{name}-{number}")

    async def conversations() -> None:
        async def one(name: str) -> None:
            say(name, 100)
            await asyncio.sleep(0)

        await asyncio.gather(*(one(f"task{number}") for number in range(5)))

    asyncio.run(conversations())
    threads = [Thread(target=say, args=(f"thread{number}", 100)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say("plain", 100)

    assert emitter.flush(20) == 0
    names = [f"{kind}{number}" for kind in ("task", "thread") for number in range(5)] + ["plain"]
    assert river.said() == sorted(f"{name}-{number}" for name in names for number in range(100))
    stats = emitter.stats()
    assert (stats.taken, stats.acknowledged, stats.unacknowledged, stats.dropped) == (1100, 1100, 0, {})


def test_a_record_is_what_other_programs_expect(river: River, emitters: Callable[..., Emitter]) -> None:
    emitter = emitters()
    emitter.session(org="00D000000000001", bot="helpdesk", session="s-42", seq=17).emit(
        "bot.intent.detected", intent="x"
    )
    emitter.flush(20)

    [record] = river.records()
    event = event_of(record)
    assert record.key() == b"00D000000000001/s-42"
    assert record.headers() == [("content-type", b"application/cloudevents+json")]
    assert (event["specversion"], event["source"], event["subject"]) == (
        "1.0",
        "/orgs/00D000000000001/bots/helpdesk",
        "s-42",
    )
    assert (event["type"], event["seq"], event["data"]) == ("bot.intent.detected", 17, {"intent": "x"})


@pytest.mark.parametrize("ordering", ["session", "org"])
def test_ordering_decides_the_partition(river: River, emitters: Callable[..., Emitter], ordering: Ordering) -> None:
    emitter = emitters(ordering=ordering)
    for number in range(60):
        org, session = f"org{number % 5}", f"s{number % 20}"
        emitter.session(org=org, bot="b", session=session).emit("said", said=f"{number:02d}")
    emitter.flush(20)

    records = river.records()
    assert len(records) == 60
    for record in records:
        key = record.key() or b""
        assert record.partition() == partition_of(key.split(b"/")[0] if ordering == "org" else key, PARTITIONS)


def test_nobody_hangs_and_nothing_is_lost_when_a_process_forks(river: River) -> None:
    """The parent emits and forks four; all five emit and exit, each in the plain way."""
    process = river.run("""
say("parent-before")
children = []
for number in range(4):
    child = os.fork()
    if child == 0:
        say(f"child-{number}")
        sys.exit(0)
    children.append(child)
say("parent-after")
for child in children:
    assert os.waitpid(child, 0)[1] == 0
""")
    finish(process)

    assert river.said() == ["child-0", "child-1", "child-2", "child-3", "parent-after", "parent-before"]
    assert len(river.records()) == 6


def test_children_of_multiprocessing_send_what_they_emit(river: River) -> None:
    process = river.run("""
import multiprocessing

def work(number):
    say(f"child-{number}")

if __name__ == "__main__":
    say("parent")
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=work, args=(number,)) for number in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
""")
    finish(process)

    assert river.said() == ["child-0", "child-1", "child-2", "child-3", "parent"]


def test_a_fork_without_kafka_ends_in_time_and_the_next_process_sends_all(river: River) -> None:
    start = time.monotonic()
    process = river.run(
        """
say("parent")
for number in range(4):
    if os.fork() == 0:
        say(f"child-{number}")
        sys.exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
""",
        bootstrap=NOBODY,
        close_timeout=0.5,
    )
    finish(process)
    took = time.monotonic() - start

    heir = river.emitter()
    heir.close(20)

    assert took < 20
    assert heir.stats().recovered == 5
    assert river.said() == ["child-0", "child-1", "child-2", "child-3", "parent"]
    assert list(river.journal.iterdir()) == []


@pytest.mark.parametrize("durability", ["memory", "journal"])
def test_what_was_journaled_survives_a_kill(river: River, durability: str) -> None:
    """With durability `memory` what did not fit is in the journal; with `journal` every event is."""
    process = river.run(
        """
for number in range(5000):
    say(f"{number:05d} " + "x" * 400)
while emitter.stats().in_journal == 0:
    time.sleep(0.01)
time.sleep(0.1)
print(emitter.stats().in_journal, flush=True)
time.sleep(60)
""",
        bootstrap=NOBODY,
        memory=1 << 20,
        durability=durability,
    )
    assert process.stdout is not None
    journaled = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    heir = river.emitter()
    heir.close(20)

    said = {text[:5] for text in river.said()}
    assert journaled == 5000 if durability == "journal" else 2500 < journaled < 5000
    assert len(said) >= journaled
    assert heir.stats().recovered >= journaled
    assert river.is_empty()


@pytest.mark.parametrize("ordering", ["any", "session"])
def test_kafka_goes_and_comes_back(new_kafka: Callable[[], LocalKafka], tmp_path: Path, ordering: Ordering) -> None:
    """Emits go on all the while; everything arrives, under `session` ordering in the order of its emits."""
    cluster = new_kafka()
    river = River(cluster.bootstrap_servers, tmp_path)
    river.create()
    emitter = river.emitter(memory=Size.parse("1MiB"), ordering=ordering)
    with emitter.session(org="o", bot="b", session="s") as log:
        for number in range(2000):
            if number == 500:
                emitter.flush(20)
                cluster.stop()
            if number == 1500:
                cluster.start()
            assert log.emit("said", said=f"{number:04d}" + "x" * 800)
            time.sleep(0.0005)
    left = emitter.flush(60)
    stats = emitter.stats()
    emitter.close(5)

    events = [event_of(record) for record in river.records()]
    assert (left, stats.acknowledged, stats.dropped) == (0, 2000, {})
    assert stats.spilled > 0
    assert {event["data"]["said"][:4] for event in events} == {f"{number:04d}" for number in range(2000)}
    assert len({event["id"] for event in events}) == 2000
    if ordering == "session":
        first_seen = list(dict.fromkeys(event["seq"] for event in events))
        assert first_seen == list(range(2000))
    assert river.is_empty()


def test_close_is_bounded_and_leaves_the_rest_in_the_journal(river: River) -> None:
    emitter = river.emitter(bootstrap=NOBODY)
    log = emitter.session(org="o", bot="b", session="s")
    for number in range(100):
        log.emit("said", said=f"{number:02d}")
    assert emitter.flush(0.2) == 100

    start = time.monotonic()
    left = emitter.close(0.5)

    assert left == 100
    assert time.monotonic() - start < 3
    assert not log.emit("said", said="too late")
    assert emitter.close() == 100
    stats = emitter.stats()
    assert (stats.in_memory, stats.in_journal, stats.dropped) == (0, 100, {"closed": 1})
    river.emitter().close(20)
    assert river.said() == [f"{number:02d}" for number in range(100)]


def test_a_journal_that_cannot_be_written_drops_and_counts(river: River) -> None:
    river.journal.write_text("a file, where the directory should be")
    emitter = river.emitter(bootstrap=NOBODY, memory=Size.parse("1MiB"))
    log = emitter.session(org="o", bot="b", session="s")

    taken = sum(log.emit("said", said="x" * 1000) for _ in range(3000))

    stats = emitter.stats()
    emitter.close(0.1)
    assert 0 < taken < 3000
    assert stats.taken == taken
    assert stats.dropped == {"journal_failed": 3000 - taken}


def test_an_emitter_that_is_forgotten_closes_itself(river: River) -> None:
    river.emitter().session(org="o", bot="b", session="s").emit("said", said="last words")

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not river.said():
        time.sleep(0.1)
    assert river.said() == ["last words"]
