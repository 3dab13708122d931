"""How long does each page of the console wait for the event log, when ten million events are in it?

    python benchmarks/eventlog_pages.py --events 10000000 --store sqlite --directory /somewhere/large
    python benchmarks/eventlog_pages.py --events 10000000 --store postgres

Every answer should come within 200 ms. 20 orgs of very different sizes (the largest has half of all events), 30 days,
25 events a session, one event in fifty failed, in 200 ways; counters of 1,000 orgs. A store that is full already, in
`--directory` or at `--url`, is only asked. The store is filled in the order of time, as a worker does, and then asked
seven times for every page: the slowest answer and the median are printed. PostgreSQL is started for the occasion unless
`--url` names one; let nothing else run meanwhile. Ten million events take 10 GB and half an hour.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from headrace.clock import SystemClock
from headrace.eventlog.counting import EVERY_ORG, STEPS, Counter
from headrace.eventlog.graphs import Counted, CounterQuery, TotalsQuery
from headrace.eventlog.opening import Store, open_event_log
from headrace.eventlog.pages import ExceptionQuery, HitQuery, SessionQuery
from headrace.eventlog.port import EventQuery
from headrace.eventlog.settings import EventlogSettings
from headrace.wire.times import to_text

ORGS = [f"00D{org:012d}" for org in range(20)]
SHARES = [2.0**-rank for rank in range(20)]
TYPES = ["bot.step.executed", "bot.message.received", "bot.variable.set", "bot.message.sent", "bot.turn.started"]
DAYS, DAY = 30, 86_400
LENGTH = 25
"""Events of a session."""
WAYS = 200
"""Different exceptions."""
BATCH = 5000
TIMES = 7
COUNTED_ORGS = 1000


def batches(events: int, now: float) -> Iterator[list[bytes]]:
    """Yield events in the order of time, those of some sessions interleaved."""
    rng = random.Random(1)
    sessions = events // LENGTH
    together = BATCH // LENGTH
    for first in range(0, sessions, together):
        numbers = range(first, min(first + together, sessions))
        begun = {n: now - DAYS * DAY * (1 - n / sessions) for n in numbers}
        owners = {n: rng.choices(range(20), SHARES)[0] for n in numbers}
        yield [event(n, seq, owners[n], begun[n], rng) for seq in range(LENGTH) for n in numbers]


def event(session: int, seq: int, org: int, begun: float, rng: random.Random) -> bytes:
    """Return one event of about 600 bytes."""
    type_ = TYPES[seq % len(TYPES)]
    data: dict[str, Any] = {"text": f"{rng.getrandbits(512):x}" * 2}
    if seq == 0:
        type_, data = "bot.session.started", {"channel": "web", "user": f"u-{session % 9973}", "version": "3.1"}
    elif seq == LENGTH - 1 and session % 3:
        type_, data = "bot.session.ended", {"reason": ("user", "timeout", "transfer", "error")[session % 4]}
    elif rng.random() < 0.02:
        type_, way = "bot.action.failed", rng.randrange(WAYS)
        stack = f'File "/srv/bot/part{way % 40}.py", line {way}, in step{way}'
        error = {"origin": "custom_code", "type": "OrderNotFound", "message": f"no order {session}", "stack": stack}
        data = {"action": f"Action{way}", "kind": "apex", "error": error}
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": f"{int(begun * 1000) + seq:012x}-{session:08x}-{seq:02x}",
            "source": f"/orgs/{ORGS[org]}/bots/bot-{session % 4}",
            "subject": f"s-{session:08d}",
            "type": type_,
            "time": to_text(begun + 3 * seq),
            "seq": seq,
            "data": data,
        }
    )


def fill(store: Store, events: int, now: float) -> float:
    """Store *events* and counters; return how many events per second it took."""
    done, seconds = 0, 0.0
    for values in batches(events, now):
        begun = time.perf_counter()
        store.upsert(values)
        seconds += time.perf_counter() - begun
        done += len(values)
        if done % 500_000 == 0:
            print(f"{done:,} events, {done / seconds:,.0f}/s", file=sys.stderr)
    for counters in minutes(now):
        store.count(Counted(counters=counters))
    return done / seconds


def minutes(now: float) -> Iterator[list[Counter]]:
    """Yield counters: of all orgs for every minute of 30 days, of each org for a day's hours and an hour's minutes."""
    ends = {60: int(now) // 60 * 60, 3600: int(now) // 3600 * 3600, 0: 0}

    def counter(step: int, org: str, back: int) -> Counter:
        return Counter(
            step=step, org=org, destination="log", at=ends[step] - back * step, posts=3, posted=900, accepted=900,
            delivered=890, retried=9, dead=1, ms=33.0, slowest_ms=20.0,
        )  # fmt: skip

    for day in range(DAYS):
        yield [counter(60, EVERY_ORG, day * 1440 + back) for back in range(1440)]
        yield [counter(3600, EVERY_ORG, day * 24 + back) for back in range(24)]
    for number in range(COUNTED_ORGS):
        org = f"00D{number:012d}"
        yield [counter(step, org, back) for step in STEPS for back in range({60: 60, 3600: 24, 0: 1}[step])]


def pages(store: Store, now: float) -> dict[str, Callable[[], object]]:
    """Return every question of the console, asked as an org's viewer, of the largest org, and as an operator."""
    asked: dict[str, Callable[[], object]] = {}
    rare = ORGS[12]
    big = store.find_sessions(SessionQuery(org=ORGS[0], limit=50))
    middle = store.find_sessions(SessionQuery(org=ORGS[0], limit=1, until=now - DAYS * DAY / 2)).next
    top = max(store.find_exceptions(ExceptionQuery(org=None, limit=WAYS)).rows, key=lambda group: group.count)
    session = big.rows[25].session
    for name, org in (("viewer", ORGS[0]), ("small org", rare), ("operator", None)):
        sessions: dict[str, dict[str, Any]] = {
            "": {},
            ", a day": {"since": now - 9 * DAY, "until": now - 8 * DAY},
            ", errors": {"errors": True},
            ", errors of a bot": {"errors": True, "bot": "bot-1"},
            ", ended in error": {"end_type": "error"},
            ", a text": {"text": "ordernotfound"},
            ", a text that is nowhere": {"text": "no such text"},
            ", a bot that is not": {"bot": "no such bot"},
            ", in the middle": {"after": middle},
        }
        for what, filters in sessions.items():
            query = SessionQuery(org=org, **filters)
            asked[f"{name}: sessions{what}"] = lambda query=query: store.find_sessions(query)  # type: ignore[misc]
        exceptions = {"": ExceptionQuery(org=org), ", new": ExceptionQuery(org=org, state="new")}
        exceptions[", a text"] = ExceptionQuery(org=org, text="action17")
        exceptions[", by events"] = ExceptionQuery(org=org, order="events")
        for what, found in exceptions.items():
            asked[f"{name}: exceptions{what}"] = lambda found=found: store.find_exceptions(found)  # type: ignore[misc]
        hits = HitQuery(org=org, fingerprint=top.fingerprint)
        asked[f"{name}: sessions of an exception"] = lambda hits=hits: store.find_hits(hits)  # type: ignore[misc]
        for hours, step in ((1, 60), (24, 60), (24 * DAYS, 3600)):
            graph = CounterQuery(org=org, since=now - hours * 3600, until=now, step=step)  # type: ignore[arg-type]
            asked[f"{name}: graph of {hours} h"] = lambda graph=graph: store.counters(graph)  # type: ignore[misc]
    asked["viewer: a session"] = lambda: store.find_events(EventQuery(org=ORGS[0], session=session, limit=500))
    asked["viewer: a session's row"] = lambda: store.find_sessions(SessionQuery(org=ORGS[0], session=session))
    asked["operator: orgs of an exception"] = lambda: store.hit_orgs(None, top.fingerprint, limit=25)
    asked["operator: worst orgs ever"] = lambda: store.totals(TotalsQuery(org=None, limit=50))
    asked["operator: worst orgs of a day"] = lambda: store.totals(TotalsQuery(org=None, since=now - DAY, limit=50))
    return asked


def main() -> None:
    """Fill the store unless it is full, ask every page, and print how long the answers took."""
    arguments = arguments_of(__doc__)
    with ExitStack() as stack:
        store = open_event_log(place(arguments, stack), SystemClock())
        stack.callback(store.close)
        newest = store.find_sessions(SessionQuery(org=None, limit=1)).rows
        now = newest[0].last_at if newest else time.time()
        rate = None if newest else fill(store, arguments.events, now)
        answers = {name: measure(ask) for name, ask in pages(store, now).items()}
    slowest = max(answers, key=lambda name: answers[name]["slowest_ms"])
    for name, answer in answers.items():
        print(f"{answer['slowest_ms']:8.1f} ms, median {answer['median_ms']:7.1f}  {name}", file=sys.stderr)
    document = {
        "store": arguments.store,
        "events": arguments.events,
        "events_per_second": rate and round(rate),
        "slowest": slowest,
        "slowest_ms": answers[slowest]["slowest_ms"],
        "pages": answers,
    }
    print(msgspec.json.encode(document).decode() if arguments.json else f"slowest: {slowest}")


def arguments_of(description: str | None) -> argparse.Namespace:
    """Read the command line, which `console_pages.py` shares."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--directory", type=Path, help="where SQLite's file is to be, and to stay")
    parser.add_argument("--url", help="a PostgreSQL to use, and to leave full")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


def place(arguments: argparse.Namespace, stack: ExitStack) -> EventlogSettings:
    """Say where the store is that *arguments* name; without a name it lasts as long as *stack*."""
    if arguments.store == "sqlite":
        directory = arguments.directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        return EventlogSettings(url=f"sqlite:///{directory.absolute() / 'pages.db'}")
    url = arguments.url
    if url is None:
        sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
        import postgres_server  # noqa: PLC0415  it stands beside the tests, which use it too

        url = stack.enter_context(postgres_server.running("shared_buffers=512MB", "max_wal_size=4GB"))
    return EventlogSettings(url=url)


def measure(ask: Callable[[], object]) -> dict[str, float]:
    """Return how long the answers took, in milliseconds."""
    took = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - begun))
    return {"median_ms": round(statistics.median(took), 1), "slowest_ms": round(max(took), 1)}


if __name__ == "__main__":
    main()
