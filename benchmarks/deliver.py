"""What does it cost a worker to deliver an event, and how many per second does it deliver?

    python benchmarks/deliver.py --events 1000000 --orgs 20,1000,10000 --workers 1,2 --repeat 3 --json
    python benchmarks/deliver.py --ordering any,session --repeat 3

Events of about 600 bytes wait in Kafka; real `headrace deliver` processes take them to an HTTP server that only counts
(one for all orgs, in a process of its own) or to the embedded event log. A run begins when workers that share the
partitions are let go, and ends when the group has committed every event. The processor's time is that of the worker
processes alone. A run counts only if the audit balances and every event was delivered once to each destination.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import msgspec

from headrace.testing.simulated_org import SimulatedOrg
from machine import Machine, machine, sentence
from stage import Stage, Tables, local_kafka

SECRET = "whsec_aGVhZHJhY2VoZWFkcmFjZWhlYWRyYWNl"
PATIENCE = 900.0


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What is run."""

    events: int
    bytes: int
    orgs: int
    workers: int
    signed: bool
    destinations: list[str]
    ordering: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run. The processor's time is in µs per event, summed over the workers; *load* is that before the run."""

    seconds: float
    events_per_second: float
    cpu_us: float
    user_us: float
    system_us: float
    posts: int
    load: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All runs of a case."""

    case: Case
    runs: list[Run]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    machine: Machine
    results: list[Result]


def run(case: Case, kafka: str, directory: Path) -> Run:
    """Deliver the events of *case* on new topics."""
    load = os.getloadavg()[0]
    directory.mkdir()
    (directory / "secret").write_text(SECRET)
    with (
        SimulatedOrg(count=True, process=True) as orgs,
        Stage(directory, kafka, tables(case, orgs.url, directory)) as stage,
    ):
        stage.start(case.workers)
        stage.freeze()
        stage.preload(case.events, case.orgs, case.bytes)
        user, system = stage.cpu()
        begun = time.perf_counter()
        stage.thaw()
        stage.await_settled(case.events, PATIENCE)
        took = time.perf_counter() - begun
        user, system = (now - before for now, before in zip(stage.cpu(), (user, system), strict=True))
        stage.stop()
        posts = check(case, stage, orgs)
    return Run(
        seconds=round(took, 2),
        events_per_second=round(case.events / took),
        cpu_us=round((user + system) / case.events * 1e6, 2),
        user_us=round(user / case.events * 1e6, 2),
        system_us=round(system / case.events * 1e6, 2),
        posts=posts,
        load=round(load, 2),
    )


def tables(case: Case, url: str, directory: Path) -> Tables:
    """Return the configuration: Headrace's defaults, but for where things are."""
    http: dict[str, object] = {"type": "http", "url": url} | ({"secret": ["file:secret"]} if case.signed else {})
    return {
        "destinations.http": http,
        "destinations.eventlog": {"type": "eventlog"},
        "eventlog": {"url": f"sqlite:///{directory / 'eventlog.db'}"},
        "routes": {"*": case.destinations},
        "delivery": {"ordering": case.ordering},
    }


def check(case: Case, stage: Stage, orgs: SimulatedOrg) -> int:
    """Raise unless the books say that every event was delivered, and the server counted as many; return its posts."""
    books = stage.audit()
    wanted = case.events * len(case.destinations)
    if not books.balanced or books.delivered != wanted or books.duplicates or books.retried:
        columns = {name: getattr(books, name) for name in ("delivered", "retried", "lost", "duplicates", "balanced")}
        raise RuntimeError(f"this run is no measurement, {wanted} events should be delivered: {columns}")
    ledgers = orgs.ledgers().values()
    counted = sum(ledger.distinct for ledger in ledgers)
    if "http" in case.destinations and counted != case.events:
        raise RuntimeError(f"the server counted {counted} of {case.events} events")
    return sum(ledger.requests for ledger in ledgers)


def spread(numbers: Sequence[float], form: str) -> str:
    """Return the median of *numbers*, and between which they lie."""
    median = format(statistics.median(numbers), form)
    return median if len(numbers) == 1 else f"{median} ({min(numbers):{form}} to {max(numbers):{form}})"


def describe(result: Result) -> str:
    """Return a line about *result*."""
    case, runs = result.case, result.runs
    posts = statistics.median(each.posts for each in runs)
    return (
        f"{case.orgs:6} orgs, {case.workers} workers, {'+'.join(case.destinations)}, {case.ordering}"
        f"{', signed' if case.signed else ''}: "
        f"{spread([each.cpu_us for each in runs], '.2f')} µs CPU per event, "
        f"{spread([each.events_per_second for each in runs], ',.0f')} events/s"
        + (f", {case.events / posts:.0f} events per post" if posts else "")
    )


def main() -> None:
    """Read the command line, run the cases in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="events of one run")
    parser.add_argument("--bytes", type=int, default=600, help="about how large an event is")
    parser.add_argument("--orgs", default="20", help="how many orgs, or several numbers with commas")
    parser.add_argument("--workers", default="1", help="how many worker processes, or several numbers with commas")
    parser.add_argument("--signed", action=argparse.BooleanOptionalAction, default=True, help="sign every post")
    parser.add_argument("--destinations", default="http", help="http, eventlog, or both with a comma")
    parser.add_argument("--ordering", default="any", help="any, session or org, or several with commas")
    parser.add_argument("--repeat", type=int, default=1, help="run all cases so often, one after the other each time")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    cases = [
        Case(
            events=options.events,
            bytes=options.bytes,
            orgs=int(orgs),
            workers=int(workers),
            signed=options.signed and "http" in options.destinations,
            destinations=options.destinations.split(","),
            ordering=ordering,
        )
        for workers, orgs, ordering in product(
            options.workers.split(","), options.orgs.split(","), options.ordering.split(",")
        )
    ]
    where = machine()
    runs: list[list[Run]] = [[] for _ in cases]
    with tempfile.TemporaryDirectory() as name, local_kafka(Path(name) / "kafka") as kafka:
        for turn, (place, case) in product(range(options.repeat), enumerate(cases)):
            runs[place].append(run(case, kafka, Path(name) / f"bench-{turn}-{place}"))
            print(describe(Result(case=case, runs=runs[place][-1:])), file=sys.stderr)
    results = [Result(case=case, runs=each) for case, each in zip(cases, runs, strict=True)]
    if options.json:
        print(msgspec.json.encode(Document(machine=where, results=results)).decode())
        return
    print(sentence(where))
    for result in results:
        print(describe(result))


if __name__ == "__main__":
    main()
