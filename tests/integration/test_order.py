"""Order on a real Kafka: a session's events arrive in their order, first deliveries and retries alike."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from headrace import app
from headrace.emitter.emitter import Emitter
from headrace.testing.faults import Cut, FaultPlan, Hang, Phase, Status
from headrace.testing.simulated_org import SimulatedOrg
from river import River, Settings, until

OUTAGE = 12.0
FAULTS: dict[str, FaultPlan] = {
    "cuts": FaultPlan((Phase(fault=Cut(at="applied"), stop=OUTAGE),)),
    "down": FaultPlan((Phase(fault=Status(status=503), stop=OUTAGE),)),
    "hangs": FaultPlan((Phase(fault=Hang(), stop=OUTAGE),)),
    "throttles": FaultPlan((Phase(fault=Status(status=429, retry_after="3"), stop=OUTAGE),)),
}
ORGS = [*FAULTS, "well"]
SESSIONS = 40
"""Sessions of every org, all of which keep talking."""
RATE = 250.0
"""Events per second, all orgs together."""


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg(process=True) as running:
        yield running


@contextmanager
def talking(emitter: Emitter) -> Iterator[list[int]]:
    """Let every session of every org talk until the end; gives a list whose only number is how much was said."""
    said, is_over = [0], threading.Event()
    sessions = [
        emitter.session(org=org, bot="bot", session=f"s-{number}") for number in range(SESSIONS) for org in ORGS
    ]

    def talk() -> None:
        began = time.monotonic()
        while not is_over.is_set():
            assert sessions[said[0] % len(sessions)].emit("bot.turn", number=said[0])
            said[0] += 1
            time.sleep(max(0.0, began + said[0] / RATE - time.monotonic()))

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield said
    finally:
        is_over.set()
        thread.join()
        emitter.flush(30)


def in_order(ordering: str) -> Settings:
    return {
        "delivery": {"ordering": ordering, "timeout": "2s"},
        "emitter": {"durability": "memory"},
        "routes": {"*": ["crm"]},
    }


def check(river: River, said: int, *, killed: bool = False) -> None:
    """Everything arrived, in its order, and nobody's retries are left."""
    books = river.settled(events=said, within=120)
    ledgers = river.orgs.ledgers(ids=1)
    assert (books.balanced, books.lost, books.accepted) == (True, 0, said)
    assert {org: ledgers[org].disorder for org in ORGS} == dict.fromkeys(ORGS, 0)
    assert sum(ledgers[org].distinct for org in ORGS) == said
    assert killed or books.orgs["well"].retried == 0


@pytest.mark.parametrize("ordering", ["session", "org"])
def test_sessions_that_keep_talking_stay_in_order(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg, ordering: str
) -> None:
    """They are released while they talk on: after a while nothing goes through a tier any more."""
    with River(tmp_path, kafka, orgs, in_order(ordering)) as river:
        for _ in range(2):
            river.start_worker()
        with closing(app.emitter(river.config)) as emitter, talking(emitter) as said:
            until(lambda: len(orgs.ledgers()) == len(ORGS), "the workers deliver", 30)
            for org, plan in FAULTS.items():
                orgs.plan(org, plan)
            time.sleep(OUTAGE)
            until(lambda: river.audit().retrying == 0, "all sessions are released", 60, every=1.0)
            retried = river.audit().retried
            time.sleep(3.0)
            assert river.audit().retried == retried
        check(river, said[0])
        assert river.stop() == [0, 0]


def test_held_sessions_survive_a_killed_worker(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    """Who is held is found out again from the retry topics, by the workers that are left."""
    with River(tmp_path, kafka, orgs, in_order("session")) as river:
        victim = river.start_worker()
        river.start_worker()
        with closing(app.emitter(river.config)) as emitter, talking(emitter) as said:
            until(lambda: len(orgs.ledgers()) == len(ORGS), "the workers deliver", 30)
            for org, plan in FAULTS.items():
                orgs.plan(org, plan)
            time.sleep(OUTAGE / 2)
            victim.send_signal(signal.SIGKILL)
            time.sleep(OUTAGE / 2)
            river.start_worker()
            time.sleep(5.0)
        check(river, said[0], killed=True)
        assert victim.wait(5) == -signal.SIGKILL
