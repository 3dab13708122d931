"""Retries on a real Kafka: on time, never early, through changed configurations and topics that take nothing."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from headrace import app
from headrace.model.record import TopicPartition
from headrace.model.units import Duration
from headrace.testing.faults import FaultPlan, Match, Phase, Results, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from headrace.wire.times import from_text
from outsider import Record, id_of, produce, record
from river import River, until

DOWN = Status(status=503)
FAULTS = {
    "alone": Phase(fault=DOWN, stop=3.0),
    "busy": Phase(fault=Status(status=429, retry_after="4"), stop=3.0),
    "down": Phase(fault=DOWN, stop=6.0),
    "some": Phase(fault=Results(retryable=Match(one_in=2)), stop=5.0),
}
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


def records(org: str, count: int) -> list[Record]:
    return [record(org, f"s-{number % 9}", number=number) for number in range(count)]


def check_times(river: River, org: str, on_tiers: dict[str, list[Hop]]) -> None:
    """See that none of the org's events was posted before its tier's delay was over, nor moved on much later."""
    for event, times in posts(river.orgs, org).items():
        mine = on_tiers.get(event, [])
        for hop, following in zip(mine, [*mine[1:], None], strict=True):
            posted_at = times[hop.attempts] if len(times) > hop.attempts else float("inf")
            if hop.attempts:
                assert hop.due_at >= times[hop.attempts - 1] + hop.delay - 0.002, "a delay counts from the post"
                assert posted_at >= hop.due_at, f"posted {hop.due_at - posted_at:.3f} s early"
            hopped_at = following.due_at - following.delay if following else float("inf")
            assert min(posted_at, hopped_at) - hop.due_at < LITTLE, f"{event} waited long after it was due"


def test_retries_come_when_they_are_due(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    """Promise 6, in an outage, for single events that are put off, and for a destination that asks for time."""
    counts = {"alone": 1, "busy": 60, "down": 60, "some": 60, "well": 60}
    settings = {"retry": {"tiers": ["1s", "3s"]}, "routes": {"*": ["crm"]}}
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
