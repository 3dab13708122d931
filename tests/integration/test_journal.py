"""The journal under real processes and a real Kafka: kills, forks, heirs that start together, full and lost disks."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emitter_river import NOBODY, River, event_of, finish
from headrace.localkafka.cluster import LocalKafka

SAY_AND_NOTE = """
note = os.open(NOTES, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
number = 0
while True:
    name = f"{number:06d}"
    say(name + "x" * 2000)
    os.write(note, name.encode() + b"\\n")
    number += 1
    if number % 20 == 0:
        time.sleep(0.005)
"""
"""Emits for ever, and notes each event that was taken once its emit has returned."""


@pytest.fixture
def river(kafka: str, tmp_path: Path) -> River:
    river = River(kafka, tmp_path)
    river.create()
    return river


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def _wait(until: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_kill_under_traffic_loses_nothing_and_repeats_little(river: River, tmp_path: Path) -> None:
    """With Kafka up most of it was acknowledged, and is not in the journal any more."""
    notes = tmp_path / "notes"
    process = river.run(SAY_AND_NOTE.replace("NOTES", repr(str(notes))), durability="journal")
    _wait(lambda: notes.exists() and notes.stat().st_size > 7 * 4000)
    _kill(process)
    taken = notes.read_text().split()

    heir = river.emitter()
    heir.close(30)

    said = [text[:6] for text in river.said()]
    assert said[: len(taken)] == taken
    assert len(said) <= len(taken) + 1
    assert heir.stats().recovered < len(taken) / 2
    assert river.is_empty()


def test_heirs_that_start_together_divide_what_is_left(river: River) -> None:
    """Each record is on Kafka once: two heirs never send the same file."""
    emit = 'for number in range(200): say(f"{os.getpid()}-{number}")\nprint("said", flush=True)\ntime.sleep(60)'
    dead = [river.run(emit, bootstrap=NOBODY, durability="journal") for _ in range(3)]
    for process in dead:
        assert _line(process) == "said"
        _kill(process)

    heirs = [river.run("emitter.close(30)\nprint(emitter.stats().recovered)") for _ in range(2)]
    recovered = [int(finish(heir, 60)) for heir in heirs]

    assert sum(recovered) == 600
    assert len(river.records()) == len(river.said()) == 600
    assert list(river.journal.iterdir()) == []


def test_a_forked_child_neither_takes_nor_keeps_what_is_its_parents(river: River) -> None:
    """The parent's journal is nobody's while it lives, and the next one's when it is dead, though its child lives."""
    parent = river.run(
        """
for number in range(50):
    say(f"parent-{number}")
if os.fork() == 0:
    say("child")
    print(os.getpid(), flush=True)
    time.sleep(120)
    os._exit(0)
time.sleep(120)
""",
        bootstrap=NOBODY,
        durability="journal",
    )
    child = int(_line(parent))
    try:
        early = river.emitter()
        early.close(2)
        _kill(parent)
        heir = river.emitter()
        heir.close(20)
    finally:
        _end(child)
    last = river.emitter()
    last.close(20)

    assert (early.stats().recovered, heir.stats().recovered, last.stats().recovered) == (0, 50, 1)
    assert len(river.records()) == 51


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    _wait(lambda: not Path(f"/proc/{pid}").exists())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of a megabyte; None where this user may not mount one, and a limit on files must do."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], check=False, stderr=subprocess.DEVNULL
    )
    yield disk if mounted.returncode == 0 else None
    if mounted.returncode == 0:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_drops_and_counts_and_goes_on_when_there_is_room(river: River, small_disk: Path | None) -> None:
    if small_disk is not None:
        river.journal = small_disk / "journal"
        fill = f"open({str(small_disk / 'other')!r}, 'wb').write(bytes(700_000))"
        make_room = f"os.remove({str(small_disk / 'other')!r})"
    else:
        fill = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))"
        make_room = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
    program = f"""
{fill}
taken = [number for number in range(1000) if log.emit("said", said=f"{{number:04d}}" + "x" * 1000)]
{make_room}
time.sleep(1.2)
taken += [number for number in range(1000, 1100) if log.emit("said", said=f"{{number:04d}}" + "x" * 1000)]
stats = emitter.stats()
print(len(taken), taken[-100], stats.taken, stats.dropped, flush=True)
time.sleep(60)
"""
    process = river.run(program, bootstrap=NOBODY, durability="journal")
    words = _line(process)
    _kill(process)
    heir = river.emitter()
    heir.close(20)

    taken = int(words.split()[0])
    assert 200 < taken < 900
    assert words == f"{taken} 1000 {taken} {{'journal_failed': {1100 - taken}}}"
    assert len(river.said()) == heir.stats().recovered == taken


def test_a_read_only_disk_takes_nothing_and_raises_nothing(river: River, small_disk: Path | None) -> None:
    river.journal = (small_disk or river.journal.parent) / "journal"
    river.journal.mkdir()
    if small_disk is not None:
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    else:
        river.journal.chmod(0o500)
    emitter = river.emitter(durability="journal")
    log = emitter.session(org="o", bot="b", session="s")

    taken = [log.emit("said", said="x") for _ in range(10)]

    assert taken == [False] * 10
    assert emitter.stats().dropped == {"journal_failed": 10}
    assert emitter.close(1) == 0


def test_a_session_keeps_its_order_over_an_outage_a_kill_and_the_next_process(
    new_kafka: Callable[..., LocalKafka], tmp_path: Path
) -> None:
    """Kafka stops, the process is killed, Kafka starts, and the next process goes on with the same session at once."""
    cluster = new_kafka()
    river = River(cluster.bootstrap_servers, tmp_path)
    river.create()
    notes = tmp_path / "notes"
    program = SAY_AND_NOTE.replace("NOTES", repr(str(notes)))
    process = river.run(program, ordering="session", durability="journal")
    _wait(lambda: notes.exists() and notes.stat().st_size > 7 * 500)
    cluster.stop()
    first = notes.stat().st_size
    _wait(lambda: notes.stat().st_size > first + 7 * 500)
    _kill(process)
    taken = len(notes.read_text().split())
    heir = river.run(
        """
for number in range(2000):
    say(f"{number}")
    time.sleep(0.002)
left = emitter.flush(60)
stats = emitter.stats()
print(left, stats.recovered, stats.taken)
""",
        ordering="session",
        durability="journal",
        seq=taken + 1,
    )
    time.sleep(1)
    cluster.start()
    left, recovered, emitted = map(int, finish(heir, 120).split())

    seen = list(dict.fromkeys(event_of(record)["seq"] for record in river.records()))
    assert (left, emitted) == (0, 2000)
    assert recovered > 500
    assert seen == sorted(seen)
    assert {*range(taken), *range(taken + 1, taken + 2001)} <= set(seen)
