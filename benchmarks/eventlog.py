"""How many events per second does the embedded event log take in bulk upserts, and how fast is it read?

    python benchmarks/eventlog.py --events 1000000 --batch 500,1000,5000 --json

Each size of batch starts with a new file. Events are made beforehand: about 600 bytes, 20 orgs, 200 sessions at a
time, 25 events each. `repeat` stores the first tenth a second time, as after a crash of a worker.
"""

import argparse
import random
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec

from headrace.clock import SystemClock
from headrace.eventlog.port import EventQuery
from headrace.eventlog.sqlite import SqliteEventLog

ORGS = [f"00D{org:012d}" for org in range(20)]
TYPES = ["bot.step.executed", "bot.message.received", "bot.variable.set", "bot.message.sent"]
SESSIONS_AT_A_TIME = 200
EVENTS_OF_A_SESSION = 25


class Session:
    """A session that is talking."""

    def __init__(self, rng: random.Random) -> None:
        self.name = str(uuid.UUID(int=rng.getrandbits(128)))
        self.org = rng.choice(ORGS)
        self.seq = 0


def conversations(events: int) -> Iterator[tuple[str, bytes]]:
    """Yield events with their orgs, those of many sessions interleaved."""
    rng = random.Random(1)
    talking = [Session(rng) for _ in range(SESSIONS_AT_A_TIME)]
    for number in range(events):
        place = rng.randrange(SESSIONS_AT_A_TIME)
        session = talking[place]
        yield session.org, event(number, session, rng)
        session.seq += 1
        if session.seq == EVENTS_OF_A_SESSION:
            talking[place] = Session(rng)


def event(number: int, session: Session, rng: random.Random) -> bytes:
    """Return one CloudEvent as an emitter writes it; one in fifty is a failure."""
    failed = number % 50 == 0
    error = {"origin": "custom_code", "type": "OrderNotFound", "message": "no order"}
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": f"0197f0c2-{number >> 16 & 0xFFFF:04x}-7{number & 0xFFF:03x}-8{number >> 12 & 0xFFF:03x}"
            f"-{rng.getrandbits(48):012x}",
            "source": f"/orgs/{session.org}/bots/helpdesk",
            "subject": session.name,
            "type": "bot.action.failed" if failed else rng.choice(TYPES),
            "time": f"2026-11-23T10:{number // 60_000_000 % 60:02d}:{number // 1_000_000 % 60:02d}"
            f".{number % 1_000_000:06d}Z",
            "seq": session.seq,
            "datacontenttype": "application/json",
            "data": {"text": "x" * (260 if failed else 325)} | ({"error": error} if failed else {}),
        }
    )


def measure(directory: Path, events: list[tuple[str, bytes]], batch: int) -> dict[str, object]:
    """Store *events* in posts of *batch*, then read."""
    path = directory / f"{batch}.db"
    store = SqliteEventLog(path, SystemClock())
    store.upsert([b""])
    took, cpu, slowest = upsert(store, events, batch)
    repeated, _, _ = upsert(store, events[: len(events) // 10], batch)
    org, summary = ORGS[0], store.sessions(ORGS[0], limit=50)
    reading = {
        "sessions": seconds(lambda: store.sessions(org, limit=50)),
        "session": seconds(lambda: store.events(EventQuery(org=org, session=summary[-1].session))),
        "errors": seconds(lambda: store.events(EventQuery(org=org, failed=True))),
    }
    store.close()
    return {
        "batch": batch,
        "events": len(events),
        "events_per_second": round(len(events) / took),
        "cpu_us_per_event": round(cpu / len(events) * 1e6, 2),
        "slowest_batch_ms": round(slowest * 1e3, 1),
        "repeat_events_per_second": round(len(events) // 10 / repeated),
        "bytes_per_event": round(path.stat().st_size / len(events)),
        "read_ms": {name: round(took * 1e3, 2) for name, took in reading.items()},
    }


def upsert(store: SqliteEventLog, events: list[tuple[str, bytes]], batch: int) -> tuple[float, float, float]:
    """Return the seconds, the seconds of CPU, and those of the slowest batch."""
    slowest, begun, begun_cpu = 0.0, time.perf_counter(), time.process_time()
    for start in range(0, len(events), batch):
        part = events[start : start + batch]
        before = time.perf_counter()
        store.upsert([value for _, value in part], [org for org, _ in part])
        slowest = max(slowest, time.perf_counter() - before)
    return time.perf_counter() - begun, time.process_time() - begun_cpu, slowest


def seconds(read: object) -> float:
    """Return the median of five calls."""
    assert callable(read)
    times = []
    for _ in range(5):
        before = time.perf_counter()
        read()
        times.append(time.perf_counter() - before)
    return statistics.median(times)


def main() -> None:
    """Measure each size of batch and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--batch", default="500,1000,5000", help="sizes of batches, with commas")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    events = list(conversations(arguments.events))
    runs = []
    with tempfile.TemporaryDirectory() as directory:
        for batch in map(int, arguments.batch.split(",")):
            runs.append(measure(Path(directory), events, batch))
            print(runs[-1], file=sys.stderr)
    size = round(sum(len(value) for _, value in events) / len(events))
    document = {"event_bytes": size, "sqlite": sqlite3.sqlite_version, "runs": runs}
    if arguments.json:
        print(msgspec.json.encode(document).decode())


if __name__ == "__main__":
    main()
