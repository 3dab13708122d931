"""One thread owns the consumer, its offsets and the producer; and no poll's records go missing (pitfalls 2, 5, 6)."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace import app
from headrace.broker.kafka import KafkaBroker
from headrace.testing import broker_bench
from headrace.testing.broker_bench import Member
from headrace.testing.faults import FaultPlan, Phase, Slow, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from integration.pitfalls.watching import WatchedBroker, worker_here
from outsider import produce, record
from river import River, Settings, until

OWNER = "headrace-owner"
DOWN = FaultPlan((Phase(fault=Status(status=503), stop=3.0),))
SETTINGS: Settings = {"retry": {"tiers": ["1s"]}, "routes": {"*": ["crm"]}}


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        yield running


@pytest.fixture
def impatient() -> Iterator[None]:
    """Let threads take turns far more often than Python's own 5 ms."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("impatient")
def test_only_the_owner_touches_consumer_offsets_and_producer(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker's whole life: posts, retries, another member that comes and goes, and a drain."""
    with River(tmp_path, kafka, orgs, {**SETTINGS, "delivery": {"lane_events": 50}}) as river:
        names = river.config.names
        watched = WatchedBroker(app.broker(river.config))
        monkeypatch.setattr(app, "broker", lambda _: watched)
        with worker_here(river.config):
            orgs.plan("down", DOWN)
            orgs.plan("slow", always(Slow(seconds=0.7)))
            produce(
                kafka, names.events, [record(org, f"s-{n}") for org in ("down", "slow", "well") for n in range(200)]
            )
            other = Member(
                KafkaBroker(river.config.kafka), names.group, names.events, names.retry(river.config.retry.tiers[0])
            )
            broker_bench.until(lambda: bool(other.owned), other)
            other.consumer.close()
            orgs.plan("slow", FaultPlan())
            books = river.settled(events=600, within=60)
        monkeypatch.undo()

        (consumer,), (producer,) = watched.consumers, watched.producers
        assert {thread for _, thread in consumer.calls} == {OWNER}
        assert {name for name, _ in consumer.calls} >= {"subscribe", "poll", "commit", "pause", "close"}
        assert consumer.callbacks == {("on_assign", OWNER, True), ("on_revoke", OWNER, True)}, "only within a call"
        assert {thread for name, thread in producer.calls if name in {"produce", "poll"}} == {OWNER}
        assert (books.accepted, books.delivered, books.lost, books.balanced) == (600, 600, 0, True)


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param((0,), marks=pytest.mark.slow, id="the-first"),
        pytest.param((1, 2, 4), id="some"),
    ],
)
def test_records_of_a_poll_that_was_thrown_away_are_polled_again(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg, monkeypatch: pytest.MonkeyPatch, lost: tuple[int, ...]
) -> None:
    """As when a callback raises within `consume`: the client's place is past the records, and nobody has them."""
    with River(tmp_path, kafka, orgs, SETTINGS) as river:
        topic = river.config.names.events
        watched = WatchedBroker(app.broker(river.config), lose=lambda poll: poll in lost)
        monkeypatch.setattr(app, "broker", lambda _: watched)
        with worker_here(river.config):
            for wave in range(6):
                produce(kafka, topic, [record("well", f"s-{number}", wave=wave) for number in range(100)])
                until(lambda: watched.polls > wave, "it is polled", 30)  # noqa: B023
            books = river.settled(events=600, within=30)

        assert (books.accepted, books.delivered, books.lost, books.balanced) == (600, 600, 0, True)
        assert orgs.ledger("well").distinct == 600
