"""A destination that is dead while a backlog waits: no dead letters, and memory that stays where it was (12, 13)."""

import base64
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from headrace import app
from headrace.broker.kafka import KafkaBroker
from headrace.broker.port import Producer
from headrace.errors import QueueFull
from headrace.testing.faults import FaultPlan, Hang, always
from headrace.testing.simulated_org import SimulatedOrg
from outsider import record
from river import River, Settings, until

SIZE = 30_000
"""Bytes of random text in an event; base64 makes a third more of them."""

MIB = 1 << 20
MEMORY = 32 * MIB
CLIENTS = 96 * MIB
"""What the Kafka clients of a worker may hold: half of it read ahead, half of it to be written."""

SLACK = 256 * MIB
"""For the interpreter, and for what the allocator does not give back at once: with records as large as these, up to
twice what is held, whatever the backlog."""


@pytest.mark.parametrize("backlog", [1500, pytest.param(25_000, marks=pytest.mark.slow)])
def test_a_hanging_destination_fills_neither_memory_nor_the_dead_topic(
    tmp_path: Path, kafka: str, backlog: int
) -> None:
    """The backlog, 40 KB an event, is more than the worker may hold. When the destination is back, all arrives."""
    settings: Settings = {
        "retry": {"tiers": ["1s", "4s"]},
        "delivery": {"memory": MEMORY, "timeout": "2s"},
        "routes": {"*": ["crm"]},
    }
    with SimulatedOrg(process=True) as orgs, River(tmp_path, kafka, orgs, settings) as river:
        orgs.plan("*", always(Hang()))
        worker = psutil.Process(river.start_worker().pid)
        log = tmp_path / "worker-0.log"
        until(lambda: "delivery.assigned" in log.read_text(), "the worker has partitions", 30)
        at_start = worker.memory_info().rss
        fill(river, backlog)
        largest = max(watch(worker, seconds=6.0))
        during = river.audit()

        assert largest < at_start + MEMORY + CLIENTS + SLACK, f"{at_start / MIB:.0f} MiB became {largest / MIB:.0f}"
        assert (during.delivered, during.rejected, during.lost) == (0, 0, 0)
        assert during.retried > backlog // 2, "most of it was read, and moved to a tier"
        assert dead_letters(river) == 0
        orgs.plan("*", FaultPlan())
        books = river.settled(events=backlog, within=120)
        assert (books.delivered, books.rejected, books.lost, books.balanced) == (backlog, 0, 0, True)
        assert sum(ledger.distinct for ledger in orgs.ledgers().values()) == backlog
        assert dead_letters(river) == 0
        assert river.stop() == [0]


def fill(river: River, backlog: int) -> None:
    """Write the backlog."""
    producer = KafkaBroker(river.config.kafka).producer(memory=64 * MIB)
    texts = [base64.b64encode(random.Random(seed).randbytes(SIZE)).decode() for seed in range(20)]
    for number in range(backlog):
        key, value = record(f"org-{number % 5}", f"s-{number % 50}", text=texts[number % 20])
        put(producer, river.config.names.events, key, value)
    assert producer.close(30) == 0


def put(producer: Producer, topic: str, key: bytes | None, value: bytes | None) -> None:
    while True:
        try:
            producer.produce(topic, key=key, value=value)
        except QueueFull:
            producer.poll(0.1)
        else:
            return


def watch(worker: psutil.Process, seconds: float) -> Iterator[int]:
    """Yield the worker's resident memory, four times a second."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield worker.memory_info().rss
        time.sleep(0.25)


def dead_letters(river: River) -> int:
    """Count the records of the dead topic."""
    with closing(app.broker(river.config).reader()) as reader:
        return sum(stop - start for start, stop in reader.bounds(river.config.names.dead).values())
