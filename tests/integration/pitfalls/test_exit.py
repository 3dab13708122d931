"""How processes end: with Kafka gone, forked, with hooks of their own at the interpreter's end (pitfall 14)."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from headrace import app
from headrace.localkafka.cluster import LocalKafka
from headrace.testing.faults import FaultPlan, Hang, always
from headrace.testing.simulated_org import SimulatedOrg
from outsider import produce, record
from river import River, Settings, until

WITHIN = 30.0
"""Seconds within which everything that is told to stop has ended, on a machine that is busy."""

BOTS = """
import os, signal, sys, time
from pathlib import Path
from headrace import Emitter

emitter = Emitter.from_config(sys.argv[1])
parent = os.getpid()

def serve(name):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log = emitter.session(org=name, bot="b", session="s")
    taken = 0
    try:
        while os.getppid() == parent:
            taken += log.emit("said", number=taken)
            time.sleep(0.002)
    finally:
        Path(sys.argv[2], name).write_text(str(taken))

emitter.session(org="parent", bot="b", session="s").emit("said", number=0)
children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        serve(f"child-{number}")
        sys.exit(0)
    children.append(child)
signal.signal(signal.SIGTERM, lambda *_: None)
print("ready", flush=True)
signal.pause()
for child in children:
    os.kill(child, signal.SIGTERM)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
"""
"""A server as gunicorn makes them: it starts its client, forks, and tells its children to stop when it is told."""

HOOKS = """
import atexit, sys

def emit(name):
    sys.stdout.write(f"{name} {log.emit('said', name=name)}\\n")

atexit.register(emit, "registered before")
from headrace import Emitter
emitter = Emitter.from_config(sys.argv[1])
atexit.register(emit, "registered after")
log = emitter.session(org="o", bot="b", session="s")
emit("while running")
"""


@pytest.fixture
def crm() -> Settings:
    return {"retry": {"tiers": ["1s"]}, "routes": {"*": ["crm"]}, "delivery": {"drain": "2s"}}


@pytest.mark.slow
def test_bots_and_workers_end_in_time_without_kafka_and_lose_nothing(
    tmp_path: Path, new_kafka: Callable[..., LocalKafka], crm: Settings
) -> None:
    """Prefork bots that emit, and a worker with a post under way, are told to stop while Kafka is gone."""
    cluster = new_kafka()
    with SimulatedOrg() as orgs, River(tmp_path, cluster.bootstrap_servers, orgs, crm) as river:
        orgs.plan("hangs", always(Hang()))
        worker = river.start_worker()
        produce(cluster.bootstrap_servers, river.config.names.events, [record("hangs")])
        until(lambda: orgs.ledger("hangs").requests > 0, "a post is under way", 30)
        command = [sys.executable, "-c", BOTS, str(river.config_file), str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as bots:
            assert bots.stdout is not None
            assert bots.stdout.readline() == b"ready\n"
            until(lambda: len(orgs.ledgers()) == 5, "all bots are heard of", 30)
            cluster.kill_broker(0)
            time.sleep(1.0)
            told_at = time.monotonic()
            for process in (bots, worker):
                process.send_signal(signal.SIGTERM)
            assert bots.wait(60) == 0
            assert worker.wait(60) == 0
            assert time.monotonic() - told_at < WITHIN
        taken = {name: int((tmp_path / name).read_text()) for name in ("child-0", "child-1", "child-2")}

        cluster.start_broker(0)
        orgs.plan("hangs", FaultPlan())
        heir = app.emitter(river.config)
        until(lambda: not list((tmp_path / "journal").glob("**/*.seg")), "the next process sends what they left", 60)
        assert heir.close(20) == 0
        river.start_worker()
        events = sum(taken.values()) + 2
        books = river.settled(events=events, within=90)

        assert {org: ledger.distinct for org, ledger in orgs.ledgers().items()} == {**taken, "parent": 1, "hangs": 1}
        assert (books.lost, books.balanced) == (0, True)
        assert books.accepted >= events
        assert river.stop() == [0]


def test_hooks_at_the_end_of_the_interpreter_emit_or_are_told_that_it_is_too_late(
    tmp_path: Path, kafka: str, crm: Settings
) -> None:
    """The emitter closes after the hooks that came after it; one that came before it is not taken, and told so."""
    with SimulatedOrg() as orgs, River(tmp_path, kafka, orgs, crm) as river:
        command = [sys.executable, "-c", HOOKS, str(river.config_file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout.splitlines() == ["while running True", "registered after True", "registered before False"]
        orgs.keep(10)
        river.start_worker()
        books = river.settled(events=2, within=60)

        arrived = [
            event["data"]["name"] for request in orgs.requests("o") for event in msgspec.json.decode(request.body)
        ]
        assert sorted(arrived) == ["registered after", "while running"]
        assert books.accepted == 2
        assert river.stop() == [0]
