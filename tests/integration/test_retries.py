"""Retries on a real Kafka: on time, never early, through changed configurations and topics that take nothing."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headrace import app
from headrace.model.record import TopicPartition
from headrace.model.units import Duration
from headrace.testing.faults import FaultPlan, Match, Phase, Results, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from headrace.wire.times import from_text
from outsider import Record, produce, record
from river import River, Settings, until

DOWN = Status(status=503)
FAULTS = {
    "alone": Phase(fault=DOWN, stop=3.0),
    "busy": Phase(fault=Status(status=429, retry_after="4"), stop=3.0),
    "down": Phase(fault=DOWN, stop=6.0),
    "some": Phase(fault=Results(retryable=Match(one_in=2)), stop=5.0),
}
REFUSES_ALL = {"message.timestamp.type": "CreateTime", "message.timestamp.before.max.ms": "0"}
"""Settings of a topic to which every record comes from too long ago."""
TAKES_ALL = {"message.timestamp.type": "LogAppendTime", "message.timestamp.before.max.ms": str(2**63 - 1)}
LITTLE = 3.0
"""Seconds that a busy machine may be late."""


class Hop(msgspec.Struct, frozen=True):
    """What a tier's record says, read by the names of the design."""

    delay: float
    attempts: int
    due_at: float


class _Id(msgspec.Struct):
    id: str


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        running.keep(10_000)
        yield running


def hops(river: River) -> dict[str, list[Hop]]:
    """Read every tier's topic: what was written of each event, in the order of its due times."""
    found: dict[str, list[Hop]] = defaultdict(list)
    with closing(app.broker(river.config).reader()) as reader:
        for topic in reader.topics():
            delay = river.config.names.delay_of(topic)
            for partition, (start, stop) in reader.bounds(topic).items() if delay else ():
                for written in reader.read(TopicPartition(topic, partition), start, stop):
                    headers = dict(written.headers() or ())
                    due_at = from_text(headers["hr-due-at"].decode())
                    hop = Hop(float(delay or 0), int(headers["hr-attempts"]), due_at)
                    found[msgspec.json.decode(written.value() or b"", type=_Id).id].append(hop)
    return {event: sorted(each, key=lambda hop: hop.due_at) for event, each in found.items()}


def posts(orgs: SimulatedOrg, org: str) -> dict[str, list[float]]:
    """Return when each event was posted."""
    found: dict[str, list[float]] = defaultdict(list)
    for request in orgs.requests(org):
        for event in msgspec.json.decode(request.body, type=list[_Id]):
            found[event.id].append(request.at)
    return found


def letters(river: River) -> list[dict[str, str]]:
    """Return the dead letters that are open."""
    listed = river.run("dead", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    dead: list[dict[str, str]] = json.loads(listed.stdout.splitlines()[-1])["dead"]
    return dead


def redrive(river: River, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Redrive, and return the exit code and the document."""
    done = river.run("dead", "redrive", "--json", *arguments)
    document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return done.returncode, document


def records(org: str, count: int) -> list[Record]:
    return [record(org, f"s-{number % 9}", number=number) for number in range(count)]


def check_times(river: River, org: str, on_tiers: dict[str, list[Hop]]) -> None:
    """See that none of the org's events was posted before its tier's delay was over, nor moved on much later."""
    for event, times in posts(river.orgs, org).items():
        for hop, following in pairwise([*on_tiers.get(event, []), None]):
            assert hop is not None
            posted_at = times[hop.attempts] if len(times) > hop.attempts else float("inf")
            if hop.attempts:
                assert hop.due_at >= times[hop.attempts - 1] + hop.delay - 0.002, "a delay counts from the post"
                assert posted_at >= hop.due_at, f"posted {hop.due_at - posted_at:.3f} s early"
            hopped_at = following.due_at - following.delay if following else float("inf")
            assert min(posted_at, hopped_at) - hop.due_at < LITTLE, f"{event} waited long after it was due"


def test_retries_come_when_they_are_due(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    """Promise 6, in an outage, for single events that are put off, and for a destination that asks for time."""
    counts = {"alone": 1, "busy": 60, "down": 60, "some": 60, "well": 60}
    settings: Settings = {"retry": {"tiers": ["1s", "3s"]}, "routes": {"*": ["crm"]}}
    with River(tmp_path, kafka, orgs, settings) as river:
        topic = river.config.names.events
        river.start_worker()
        produce(kafka, topic, records("first", 1))
        until(lambda: orgs.ledger("first").distinct == 1, "the worker is there", 30)
        for org, phase in FAULTS.items():
            orgs.plan(org, FaultPlan((phase,)))
        produce(kafka, topic, [each for org, count in counts.items() for each in records(org, count)])
        until(lambda: orgs.ledger("busy").requests > 0, "the busy org is asked", 10)
        produce(kafka, topic, records("busy", 20))
        books = river.settled(events=262, within=60)

        assert (books.accepted, books.delivered, books.lost, books.duplicates) == (262, 262, 0, 0)
        assert books.orgs["well"].retried == 0
        on_tiers = hops(river)
        assert sum(map(len, on_tiers.values())) == books.retried
        for org in counts:
            check_times(river, org, on_tiers)
        (alone,) = posts(orgs, "alone")
        assert [(hop.attempts, hop.delay) for hop in on_tiers[alone]] == [(1, 1.0), (2, 3.0)]
        asked, again = (request.at for request in orgs.requests("busy")[:2])
        assert 4.0 <= again - asked < 4.0 + 1.0 + LITTLE, "Retry-After is obeyed, and no longer than its tier"
        assert orgs.ledger("busy").answers.keys() == {"429", "200"}
        assert any(hop.attempts == 0 for event in posts(orgs, "busy") for hop in on_tiers.get(event, ()))
        assert river.stop() == [0]


def test_what_was_given_up_is_redriven_once(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    orgs.plan("down", always(DOWN))
    settings: Settings = {"retry": {"tiers": ["500ms", "1s"], "give_up_after": "2s"}, "routes": {"*": ["crm"]}}
    with River(tmp_path, kafka, orgs, settings) as river:
        river.start_worker()
        places = produce(kafka, river.config.names.events, records("down", 40))
        books = river.settled(events=40, within=60)
        dead = letters(river)

        assert (books.accepted, books.delivered, books.rejected, books.balanced) == (40, 0, 40, True)
        assert {letter["reason"] for letter in dead} == {"gave_up"}
        assert {(letter["org"], letter["destination"], letter["state"]) for letter in dead} == {("down", "crm", "open")}
        assert sorted(letter["origin"] for letter in dead) == sorted(places)
        assert all("503" in letter["error"] for letter in dead if int(letter["attempts"])), "what the org last said"
        for letter, hop in ((each, hops(river)[each["id"]][0]) for each in dead[:1]):
            assert from_text(letter["dead_at"]) - (hop.due_at - hop.delay) >= 2.0

        orgs.plan("down", FaultPlan())
        assert redrive(river, "--dry-run") == (0, {"redriven": 40, "records": 40, "dry_run": True, "skipped": []})
        assert redrive(river) == (0, {"redriven": 40, "records": 40, "dry_run": False, "skipped": []})
        assert redrive(river) == (0, {"redriven": 0, "records": 0, "dry_run": False, "skipped": []})
        books = river.settled(events=40, within=60)

        assert (books.accepted, books.delivered, books.rejected, books.lost) == (40, 40, 0, 0)
        assert (books.balanced, books.duplicates, orgs.ledger("down").distinct) == (True, 0, 40)
        assert letters(river) == []
        assert river.stop() == [0]


def test_a_changed_configuration_strands_nothing(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    """Events lie on a tier that is configured no more, for a destination that is gone, and for a route that is."""
    for org in ("left", "kept"):
        orgs.plan(org, always(DOWN))
    before: Settings = {
        "retry": {"tiers": ["3s"]},
        "destinations.gone": {"type": "http", "url": orgs.url},
        "routes": {"*": [], "left": ["gone"], "kept": ["crm"]},
    }
    after: Settings = {"retry": {"tiers": ["1s"]}, "routes": {"*": [], "kept": ["crm"]}}
    with River(tmp_path, kafka, orgs, before) as river:
        topic = river.config.names.events
        river.start_worker()
        produce(kafka, topic, [*records("left", 20), *records("kept", 20)])
        until(lambda: river.audit().retrying == 40, "all are on the tier", 30)
        assert river.stop() == [0]
        for org in ("left", "kept"):
            orgs.plan(org, FaultPlan())
    with River(tmp_path, kafka, orgs, after) as river:
        river.start_worker()
        produce(kafka, topic, records("left", 10))
        books = river.settled(events=50, within=60)
        dead = [(letter["org"], letter["destination"], letter["reason"]) for letter in letters(river)]

        assert (books.delivered, books.rejected, books.lost, books.balanced) == (20, 30, 0, True)
        assert orgs.ledger("kept").distinct == 20
        assert orgs.ledger("left").distinct == 0
        assert dead.count(("left", "gone", "no_destination")) == 20
        assert dead.count(("left", "-", "no_route")) == 10
        code, document = redrive(river)
        assert (code, document["redriven"], len(document["skipped"])) == (1, 0, 30)
        assert river.stop() == [0]
    with River(tmp_path, kafka, orgs, {**before, "retry": {"tiers": ["1s"]}}) as river:
        river.start_worker()
        assert redrive(river, "--destination", "gone")[1]["records"] == 20
        assert redrive(river)[1]["records"] == 10, "what never had a destination is routed anew"
        books = river.settled(events=50, within=60)

        assert (books.delivered, books.rejected, books.lost, books.balanced) == (50, 0, 0, True)
        assert orgs.ledger("left").distinct == 30
        assert river.stop() == [0]


def test_nothing_is_committed_while_a_tier_cannot_be_written(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    orgs.plan("down", always(DOWN))
    settings: Settings = {"retry": {"tiers": ["1s"]}, "routes": {"*": ["crm"]}, "delivery": {"drain": "2s"}}
    with River(tmp_path, kafka, orgs, settings) as river:
        names, admin = river.config.names, app.broker(river.config).admin()
        tier = names.retry(Duration(1))
        admin.configure(tier, REFUSES_ALL)
        river.start_worker()
        places = [
            TopicPartition(names.events, int(p.split("/")[1]))
            for p in produce(kafka, names.events, records("down", 30))
        ]
        produce(kafka, names.events, records("well", 300))
        until(lambda: orgs.ledger("well").distinct == 300, "the others flow", 30)
        until(lambda: "write_refused" in (tmp_path / "worker-0.log").read_text(), "the tier refuses", 10)
        produce(kafka, names.events, records("well", 300))
        until(lambda: orgs.ledger("well").distinct == 600, "the others flow on", 30)

        with closing(app.broker(river.config).reader()) as reader:
            committed = reader.committed(names.group, places)
        assert all(place.offset == 0 for place in committed.values()), "nothing is committed past an unsettled event"
        assert river.stop() == [0], "a drain that cannot end ends at its time"
        books = river.audit()
        assert (books.lost, books.balanced, books.retrying) == (0, True, 0)
        assert books.orgs["down"].in_flight == 30

        asked = orgs.ledger("down").requests
        river.start_worker()
        until(lambda: orgs.ledger("down").requests > asked, "the next worker takes over", 30)
        admin.configure(tier, TAKES_ALL)
        orgs.plan("down", FaultPlan())
        books = river.settled(events=630, within=60)
        assert (books.accepted, books.delivered, books.lost, books.balanced) == (630, 630, 0, True)
        assert orgs.ledger("down").distinct == 30
        assert river.stop() == [0]
