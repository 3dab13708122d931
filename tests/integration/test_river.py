"""Real conversations through the whole river while destinations misbehave in every way (issue: how it is judged)."""

import asyncio
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from dialogues.format import Dialogue, understand
from dialogues.play import play
from headrace import app
from headrace.emitter.emitter import Emitter
from headrace.model.record import TopicPartition
from headrace.testing.dialogues import dialogues
from headrace.testing.faults import Cut, FaultPlan, Hang, Match, Phase, Refuses, Slow, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from river import River, until

ORGS = 20
CALM = 12.0
FAULTY = 24.0
OUTAGE = 20.0
"""Seconds of traffic before the faults, of traffic with them, and of each fault that ends by itself."""

REFUSED = Match(one_in=9)
THROTTLED = Status(status=429, retry_after="4")

FAULTS: dict[str, FaultPlan] = {
    "org-00": FaultPlan((Phase(fault=Status(status=503), stop=OUTAGE),)),
    "org-01": FaultPlan((Phase(fault=Hang(), stop=OUTAGE),)),
    "org-02": always(Refuses(match=REFUSED)),
    "org-03": FaultPlan((Phase(fault=THROTTLED, stop=2.0), Phase(fault=THROTTLED, start=8.0, stop=10.0))),
    "org-04": FaultPlan((Phase(fault=Status(status=401), stop=OUTAGE),)),
    "org-05": FaultPlan((Phase(fault=Cut(at="applied"), stop=OUTAGE),)),
    "org-06": always(Slow(seconds=1.0)),
}
HEALTHY = [f"org-{number:02d}" for number in range(ORGS) if f"org-{number:02d}" not in FAULTS]


class _Key(msgspec.Struct, frozen=True):
    source: str
    id: str


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg(process=True) as running:
        yield running


def emitted(river: River) -> dict[str, set[tuple[str, str]]]:
    """Read back from Kafka what was emitted: the identities of each org's events."""
    found: dict[str, set[tuple[str, str]]] = {}
    topic = river.config.names.events
    with closing(app.broker(river.config).reader()) as reader:
        for partition, (start, stop) in reader.bounds(topic).items():
            for record in reader.read(TopicPartition(topic, partition), start, stop):
                org = (record.key() or b"").partition(b"/")[0].decode()
                event = msgspec.json.decode(record.value() or b"", type=_Key)
                found.setdefault(org, set()).add((event.source, event.id))
    return found


def talk(emitter: Emitter, conversations: Sequence[Dialogue], seconds: float) -> None:
    """Play *conversations* evenly over *seconds*."""
    began = time.monotonic()
    for number, dialogue in enumerate(conversations):
        asyncio.run(play([dialogue], emitter, orgs=ORGS))
        time.sleep(max(0.0, began + seconds * (number + 1) / len(conversations) - time.monotonic()))
    emitter.flush(30)


def check_the_books(river: River, *, killed: bool) -> None:
    """Hold the audit against what the servers counted, org by org."""
    events = emitted(river)
    total = sum(map(len, events.values()))
    books = river.settled(events=2 * total, within=150)
    ledgers = river.orgs.ledgers(ids=1)
    stored = river.stored()

    assert books.balanced
    assert (books.lost, books.accepted) == (0, 2 * total)
    assert killed or books.duplicates == 0
    for org, identities in events.items():
        taken = {(each.source, each.id) for each in ledgers[org].taken}
        refused = set(ledgers[org].refused_ids)
        assert taken | refused == identities, org
        assert not taken & refused, org
        assert bool(refused) == (org == "org-02"), org
        assert stored[org] == len(identities), org
        line = books.orgs[org]
        assert line.rejected - line.duplicates <= len(refused) <= line.rejected, org
        assert line.delivered - line.duplicates <= len(taken) + stored[org] <= line.delivered, org
    assert books.destinations["log"].rejected == 0
    for org in HEALTHY:
        assert killed or books.orgs[org].retried == 0, org


def conversations_of(cut: int | None) -> list[Dialogue]:
    return understand(dialogues(cut))


def test_every_event_ends_where_it_belongs(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    with River(tmp_path, kafka, orgs) as river:
        conversations = conversations_of(None)
        calm = len(conversations) // 3
        for _ in range(2):
            river.start_worker()
        with closing(app.emitter(river.config)) as emitter:
            talk(emitter, conversations[:3], 1.0)
            until(lambda: len(orgs.ledgers()) >= 1, "the workers deliver", 30)
            calm_from = time.time()
            talk(emitter, conversations[3:calm], CALM)
            until(lambda: river.audit().in_flight == 0, "the calm phase is settled", 30)
            calm_until = time.time()
            for org, plan in FAULTS.items():
                orgs.plan(org, plan)
            talk(emitter, conversations[calm:], FAULTY)
            faulty_until = time.time()

        check_the_books(river, killed=False)
        calm_p99 = max(orgs.ledgers(since=calm_from, until=calm_until)[org].latency.p99 for org in HEALTHY)
        faulty_p99 = max(orgs.ledgers(since=calm_until, until=faulty_until)[org].latency.p99 for org in HEALTHY)
        assert faulty_p99 <= 2 * calm_p99, f"calm {calm_p99 * 1000:.0f} ms, faulty {faulty_p99 * 1000:.0f} ms"
        assert river.stop() == [0, 0]
        assert {name: orgs.ledger(name).answers for name in FAULTS}["org-00"].get("503", 0) > 0


def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    with River(tmp_path, kafka, orgs) as river:
        conversations = conversations_of(120)
        third = len(conversations) // 3
        victim = river.start_worker()
        river.start_worker()
        for org, plan in FAULTS.items():
            orgs.plan(org, plan)
        with closing(app.emitter(river.config)) as emitter:
            talk(emitter, conversations[:third], 8.0)
            until(lambda: bool(orgs.ledgers()), "the workers deliver", 30)
            victim.send_signal(signal.SIGKILL)
            talk(emitter, conversations[third : 2 * third], 8.0)
            river.start_worker()
            talk(emitter, conversations[2 * third :], 8.0)

        check_the_books(river, killed=True)
        assert victim.wait(5) == -signal.SIGKILL
