"""Does a worker's memory stay flat while a million records wait and their destination is dead?

    python benchmarks/memory.py --fault refuse --plot memory.svg
    python benchmarks/memory.py --fault hang --memory 64MiB --seconds 180 --json

Records of 2 KB of 20 orgs wait in Kafka; one `headrace deliver` takes them to a port that nobody listens on, or to a
server that never answers. Its resident memory is looked at twice a second, from the moment it may read until the time
is over or the process ends. What it may hold by configuration is printed beside it: the lanes (`delivery.memory`),
what the Kafka client reads ahead (32 MiB), and what it may have to write (64 MiB); the process itself needs the rest.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from headrace.localkafka.ports import free_ports
from headrace.model.units import Size
from headrace.testing.faults import Hang, always
from headrace.testing.simulated_org import SimulatedOrg
from machine import Machine, machine, sentence
from stage import Stage, Tables, local_kafka

EVERY = 0.5
CLIENT_BYTES = 96 << 20
"""What librdkafka may hold for the worker: as much read ahead as to be written."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. Memory in MiB; *samples* are pairs of seconds and resident memory.

    *read* counts records of the main topic that were settled by the end, *retried* moves to tiers.
    """

    machine: Machine
    fault: str
    events: int
    bytes: int
    cap: float
    at_start: float
    smallest: float
    median: float
    largest: float
    read: int
    retried: int
    balanced: bool
    samples: list[tuple[float, float]]


@contextmanager
def destination(fault: str) -> Iterator[str]:
    """Yield the URL of a destination that is dead in this way."""
    if fault == "refuse":
        yield f"http://127.0.0.1:{free_ports()}/orgs/{{org}}/events"
        return
    with SimulatedOrg(process=True) as orgs:
        orgs.plan("*", always(Hang()))
        yield orgs.url


def watch(stage: Stage, seconds: float) -> list[tuple[float, float]]:
    """Sample the worker's resident memory for so long."""
    begun = time.monotonic()
    samples = []
    while (at := time.monotonic() - begun) < seconds:
        samples.append((round(at, 2), resident(stage)))
        time.sleep(EVERY)
    return samples


def resident(stage: Stage) -> float:
    """Return the MiB that the worker has in memory now."""
    held: int = stage.workers[0].memory_info().rss
    return round(held / (1 << 20), 1)


def measure(options: argparse.Namespace, directory: Path) -> Result:
    """Run once."""
    found = machine()
    with (
        destination(options.fault) as url,
        local_kafka(directory / "kafka") as kafka,
        Stage(directory / "memory", kafka, tables(url, options.memory)) as stage,
    ):
        stage.preload(options.events, options.orgs, options.bytes)
        stage.start(1)
        at_start = resident(stage)
        samples = watch(stage, options.seconds)
        read = stage.settled()
        stage.stop()
        books = stage.audit()
    held = [mib for _, mib in samples]
    return Result(
        machine=found,
        fault=options.fault,
        events=options.events,
        bytes=options.bytes,
        cap=(Size.parse(options.memory) + CLIENT_BYTES) / (1 << 20),
        at_start=at_start,
        smallest=min(held),
        median=statistics.median(held),
        largest=max(held),
        read=read,
        retried=books.retried,
        balanced=books.balanced,
        samples=samples,
    )


def tables(url: str, memory: str) -> Tables:
    """Return the configuration: Headrace's defaults, but for where things are and what may be held."""
    return {
        "delivery": {"memory": memory},
        "destinations.dead": {"type": "http", "url": url},
        "routes": {"*": ["dead"]},
    }


def draw(path: Path, result: Result) -> None:
    """Draw the memory over time, and what is configured."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  only who asks for a figure pays for it

    figure, panel = plt.subplots(figsize=(8, 4))
    panel.plot([at for at, _ in result.samples], [mib for _, mib in result.samples], label="resident")
    panel.axhline(result.cap, color="grey", linestyle=":", label=f"configured: {result.cap:g} MiB")
    panel.set_ylim(bottom=0)
    panel.set_xlabel("seconds")
    panel.set_ylabel("MiB")
    panel.set_title(f"{result.events:,} records of {result.bytes} bytes, a destination that would {result.fault}")
    panel.legend()
    figure.tight_layout()
    figure.savefig(path)


def describe(result: Result) -> Sequence[str]:
    """Return lines about *result*."""
    return [
        sentence(result.machine),
        (
            f"{result.fault}: {result.smallest} / {result.median} / {result.largest} MiB (smallest, median, largest), "
            f"{result.at_start} at the start, {result.cap:g} configured"
        ),
        (
            f"{result.read} of {result.events} records settled, {result.retried} moves to tiers, "
            f"books {'balance' if result.balanced else 'DO NOT BALANCE'}"
        ),
    ]


def main() -> None:
    """Read the command line, run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="records that wait")
    parser.add_argument("--bytes", type=int, default=2048, help="about how large a record is")
    parser.add_argument("--orgs", type=int, default=20)
    parser.add_argument("--fault", choices=("refuse", "hang"), default="refuse", help="how the destination is dead")
    parser.add_argument("--memory", default="256MiB", help="delivery.memory: what the worker may hold in lanes")
    parser.add_argument("--seconds", type=float, default=120, help="how long to look")
    parser.add_argument("--plot", type=Path, help="draw into this file, .svg or .png")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        result = measure(options, Path(name))
    if options.plot:
        draw(options.plot, result)
    print(msgspec.json.encode(result).decode() if options.json else "\n".join(describe(result)))


if __name__ == "__main__":
    main()
