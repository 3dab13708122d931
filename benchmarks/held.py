"""What do held sessions cost the others, and how soon are they released when their destination returns?

    python benchmarks/held.py --sessions 2000 --outage 600 --ordering session
    python benchmarks/held.py --sessions 200 --outage 30 --rate 400 --json

Bots emit at a steady rate for a dead org, whose sessions all keep talking, and for nine others. Two `headrace deliver`
processes take it all to an HTTP server. The dead org refuses everything (503) for the outage, and then no more. Said
are: what the others' events took from emit to arrival before, during and after the outage; how long after the return
nothing was left on a tier, while the sessions talked on; whether every event arrived, in its session's order.
"""

import argparse
import sys
import tempfile
import time
from contextlib import closing
from itertools import cycle, pairwise
from pathlib import Path

import msgspec

from headrace import app
from headrace.emitter.emitter import Emitter
from headrace.testing.faults import FaultPlan, Phase, Status
from headrace.testing.simulated_org import SimulatedOrg
from machine import Machine, machine, sentence
from stage import Stage, local_kafka

DEAD = "dead"
OTHERS = [f"well-{number}" for number in range(9)]
CALM = 15.0
"""Seconds of traffic before the outage, and after the release."""

PATIENCE = 900.0


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. Latencies are p99 of the others, in milliseconds; *released_s* counts from the return."""

    machine: Machine
    ordering: str
    sessions: int
    outage_s: float
    emitted: int
    before_ms: float
    during_ms: float
    after_ms: float
    released_s: float
    retried_of_others: int
    disorder: int
    lost: int
    duplicates: int
    arrived: bool


class Bots:
    """Emit for the dead org and, as often, for one of the others in turn."""

    def __init__(self, emitter: Emitter, sessions: int, rate: float) -> None:
        dead = [emitter.session(org=DEAD, bot="bot", session=f"s-{number}") for number in range(sessions)]
        well = [emitter.session(org=org, bot="bot", session=f"s-{number}") for number in range(50) for org in OTHERS]
        self._turns = (session for pair in zip(cycle(dead), cycle(well), strict=True) for session in pair)
        self._rate = rate
        self.emitted = 0

    def talk(self, seconds: float) -> None:
        """Emit for so long."""
        began, said = time.monotonic(), 0
        while (now := time.monotonic()) - began < seconds:
            while said < (now - began) * self._rate:
                self.emitted += next(self._turns).emit("bot.turn", number=self.emitted)
                said += 1
            time.sleep(0.005)


def run(options: argparse.Namespace, kafka: str, directory: Path) -> Result:
    """Let the bots talk before, during and after the outage."""
    where = machine()
    with (
        SimulatedOrg(process=True) as orgs,
        Stage(
            directory,
            kafka,
            {
                "destinations.http": {"type": "http", "url": orgs.url},
                "routes": {"*": ["http"]},
                "delivery": {"ordering": options.ordering},
                "emitter": {"journal_dir": str(directory / "journal")},
            },
        ) as stage,
    ):
        stage.start(2)
        with closing(app.emitter(stage.config)) as emitter:
            bots = Bots(emitter, options.sessions, options.rate)
            bots.talk(CALM / 3)
            marks = [time.time()]
            bots.talk(CALM)
            marks.append(time.time())
            orgs.plan(DEAD, FaultPlan((Phase(fault=Status(status=503), stop=float(options.outage)),)))
            bots.talk(options.outage)
            marks.append(time.time())
            while stage.audit().retrying and time.time() - marks[-1] < PATIENCE:
                bots.talk(1.0)
            released = time.time() - marks[-1]
            bots.talk(CALM)
            marks.append(time.time())
            emitter.flush(30)
        stage.await_settled(bots.emitted, PATIENCE)
        stage.stop()
        books = stage.audit()
        ledgers = orgs.ledgers()
        spans = pairwise(marks)
        before, during, after = (worst(orgs, since, until) for since, until in spans)
    return Result(
        machine=where,
        ordering=options.ordering,
        sessions=options.sessions,
        outage_s=options.outage,
        emitted=bots.emitted,
        before_ms=before,
        during_ms=during,
        after_ms=after,
        released_s=round(released, 1),
        retried_of_others=sum(books.orgs[org].retried for org in OTHERS),
        disorder=sum(ledger.disorder for ledger in ledgers.values()),
        lost=books.lost,
        duplicates=books.duplicates,
        arrived=books.balanced and sum(ledger.distinct for ledger in ledgers.values()) == bots.emitted,
    )


def worst(orgs: SimulatedOrg, since: float, until: float) -> float:
    """Return the highest p99 of the healthy orgs, in milliseconds."""
    ledgers = orgs.ledgers(since=since, until=until)
    return round(1000 * max(ledgers[org].latency.p99 for org in OTHERS), 1)


def main() -> None:
    """Read the command line, run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ordering", default="session", choices=["any", "session", "org"], help="what is kept")
    parser.add_argument("--sessions", type=int, default=2000, help="sessions of the dead org that keep talking")
    parser.add_argument("--outage", type=float, default=600, help="seconds for which it is dead")
    parser.add_argument("--rate", type=float, default=400, help="events per second, half of them the dead org's")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, local_kafka(Path(name) / "kafka") as kafka:
        result = run(options, kafka, Path(name) / "held")
    if options.json:
        print(msgspec.json.encode(result).decode())
    else:
        print(sentence(result.machine))
        print(
            f"{result.ordering}: {result.emitted} events, {result.sessions} sessions held by an outage of "
            f"{result.outage_s:g} s; p99 of the others {result.before_ms} ms before, {result.during_ms} during, "
            f"{result.after_ms} after; released {result.released_s} s after the return; disorder {result.disorder}, "
            f"lost {result.lost}, duplicates {result.duplicates}, retries of others {result.retried_of_others}"
        )
    sys.exit(0 if result.arrived and (result.ordering == "any" or not result.disorder) else 1)


if __name__ == "__main__":
    main()
