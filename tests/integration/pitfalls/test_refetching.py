"""A pause throws away what the client has read ahead: how much is then fetched again is bounded (pitfall 7)."""

import base64
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headrace.testing.faults import FaultPlan, Phase, Slow, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from integration.pitfalls.watching import watch_fetches, worker_here
from outsider import Record, produce, record
from river import River, Settings, until

REFETCHED = 2.5
"""How many times what is there may be fetched; a loose bound for a machine that is busy."""

ON_KAFKA = 1500
"""Bytes that one of the records below has on Kafka; moves to tiers have their headers beside them."""


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        yield running


def records(count: int, seed: int = 0) -> list[Record]:
    """Return records that do not compress."""
    chance = random.Random(seed)
    texts = (base64.b64encode(chance.randbytes(750)).decode() for _ in range(count))
    return [record("o", f"s-{number % 50}", text=text) for number, text in enumerate(texts)]


def test_a_lane_that_fills_and_empties_refetches_little(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A destination that takes less than there is: the poll is held back, paused and resumed again and again."""
    fetched = watch_fetches(monkeypatch)
    orgs.plan("o", always(Slow(seconds=1.1)))
    settings: Settings = {
        "routes": {"*": ["crm"]},
        "delivery": {"lane_events": 500, "posts_in_flight_per_destination": 1, "overflow_after": "60s"},
    }
    with River(tmp_path, kafka, orgs, settings) as river:
        produce(kafka, river.config.names.events, records(3000))
        with worker_here(river.config):
            until(lambda: orgs.ledger("o").distinct >= 3000, "all is delivered", 60)
            _check(river, fetched, 3000)


@pytest.mark.slow
def test_a_tier_whose_events_come_due_one_by_one_refetches_little(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events fail in a steady stream, so each partition of the tier is always waiting for its next one."""
    fetched = watch_fetches(monkeypatch)
    settings: Settings = {"routes": {"*": ["crm"]}, "retry": {"tiers": ["3s"]}}
    with River(tmp_path, kafka, orgs, settings) as river, worker_here(river.config):
        orgs.plan("o", FaultPlan((Phase(fault=Status(status=503), stop=6.0),)))
        for wave in range(60):
            produce(kafka, river.config.names.events, records(50, seed=wave))
            time.sleep(0.05)
        until(lambda: orgs.ledger("o").distinct >= 3000, "all is delivered", 60)
        _check(river, fetched, 3000)


def _check(river: River, fetched: Callable[[], int], events: int) -> None:
    books = river.settled(events=events, within=30)
    there = (events + books.retried) * ON_KAFKA
    assert (books.delivered, books.lost, books.balanced) == (events, 0, True)
    assert fetched() < REFETCHED * there, f"{fetched() / there:.1f} times"
