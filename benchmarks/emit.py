"""What does an emit cost a bot, with Kafka up, down and frozen, beside a `logging.info` of the same event to a file?

    python benchmarks/emit.py --kafka down --count 200000 --memory 32MiB
    python benchmarks/emit.py --kafka up,down,frozen --count 50000 --rate 10000 --figure emit.svg --json
    python benchmarks/emit.py --kafka up --durability journal --journal-dir /var/tmp/journal

An asyncio program emits events of about 600 bytes, ten at a time at *rate* per second, or as fast as it can, and after
each one logs the same words. Then Kafka comes back and everything must arrive: the topic is counted. `floor` is the
time that two looks at the clock take, and is part of each number. The memory is the growth of the process's resident
set while it emits and drains.
"""

import argparse
import asyncio
import logging
import os
import resource
import signal
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from headrace.broker.kafka import KafkaBroker
from headrace.broker.port import Broker
from headrace.broker.settings import KafkaSettings
from headrace.emitter.emitter import Emitter
from headrace.emitter.session import SessionLog
from headrace.emitter.settings import EmitterSettings
from headrace.localkafka.cluster import LocalKafka
from headrace.localkafka.ports import free_ports
from headrace.model.record import TopicPartition
from headrace.model.topic import TopicState
from headrace.model.units import Size

TEXT = "Where is my order? I have been waiting for it since Monday. " * 6
TOGETHER = 10
PARTITIONS = 12


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How long calls took, in microseconds."""

    p50: float
    p99: float
    p999: float
    longest: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run. *memory_mib* is growth; *arrived* counts distinct records on the topic at the end."""

    kafka: str
    durability: str
    count: int
    rate: int
    cap_mib: float
    emit: Spread
    logging: Spread
    floor: Spread
    memory_mib: float
    cpu_us: float
    spilled: int
    dropped: int
    drained_s: float
    arrived: int


class Measured:
    """The nanoseconds of one kind of call."""

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.took = array("q", bytes(8 * count))  # so that measuring makes no objects, which would count as memory

    def spread(self) -> Spread:
        ordered = sorted(self.took)
        p50, p99, p999 = (ordered[int(len(ordered) * share)] / 1000 for share in (0.5, 0.99, 0.999))
        return Spread(p50=p50, p99=p99, p999=p999, longest=ordered[-1] / 1000)


def resident() -> int:
    """Return the bytes of memory that the process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def converse(log: SessionLog, logger: logging.Logger, kinds: Sequence[Measured], rate: int) -> int:
    """Emit and log in turn at *rate*; return the largest resident memory that was seen."""
    emits, logs, floors = (kind.took for kind in kinds)
    clock = time.perf_counter_ns
    most = 0
    start = time.perf_counter()
    for number in range(len(emits)):
        begin = clock()
        log.emit("bot.intent.detected", intent="order_status", confidence=0.93, text=TEXT)
        emits[number] = clock() - begin
        begin = clock()
        logger.info("bot.intent.detected intent=%s confidence=%s text=%s", "order_status", 0.93, TEXT)
        logs[number] = clock() - begin
        begin = clock()
        floors[number] = clock() - begin
        if number % TOGETHER == 0:
            ahead = start + number / rate - time.perf_counter() if rate else 0.0
            await asyncio.sleep(max(0.0, ahead))
        if number % 1000 == 0:
            most = max(most, resident())
    return max(most, resident())


def measure(
    kafka: str, cluster: LocalKafka, arguments: argparse.Namespace, directory: Path
) -> tuple[Result, list[Measured]]:
    """Run once with Kafka as *kafka* says."""
    broker = KafkaBroker(KafkaSettings(bootstrap_servers=cluster.bootstrap_servers))
    topic = f"bench-emit-{kafka}"
    broker.admin().create(TopicState(name=topic, partitions=PARTITIONS, replication=1))
    settings = EmitterSettings(
        durability=arguments.durability,
        memory=Size.parse(arguments.memory),
        journal_dir=str((arguments.journal_dir or directory) / f"journal-{kafka}"),
    )
    restore = hurt(kafka, cluster)
    kinds = [Measured(name, arguments.count) for name in ("emit", "logging", "floor")]
    emitter = Emitter(broker, topic=topic, settings=settings)
    time.sleep(1)
    logger = logger_to(directory / f"{kafka}.log")
    before, cpu = resident(), time.process_time()
    with emitter.session(org="00D000000000001", bot="helpdesk", session="s-42") as log:
        most = asyncio.run(converse(log, logger, kinds, arguments.rate))
    cpu_us = (time.process_time() - cpu) / arguments.count * 1e6
    restore()
    begin = time.perf_counter()
    left = emitter.flush(120)
    drained = time.perf_counter() - begin
    most = max(most, resident())
    stats = emitter.stats()
    emitter.close()
    if left:
        sys.exit(f"{left} events were not acknowledged in two minutes")
    result = Result(
        kafka=kafka,
        durability=arguments.durability,
        count=arguments.count,
        rate=arguments.rate,
        cap_mib=settings.memory / (1 << 20),
        emit=kinds[0].spread(),
        logging=kinds[1].spread(),
        floor=kinds[2].spread(),
        memory_mib=round((most - before) / (1 << 20), 1),
        cpu_us=round(cpu_us, 2),
        spilled=stats.spilled,
        dropped=sum(stats.dropped.values()),
        drained_s=round(drained, 2),
        arrived=count_ids(broker, topic),
    )
    return result, kinds


def hurt(kafka: str, cluster: LocalKafka) -> Callable[[], object]:
    """Bring Kafka into the state that is measured; return what heals it."""
    if kafka == "down":
        cluster.stop()
        return cluster.start
    if kafka == "frozen":
        pids = [broker.pid for broker in cluster.status().brokers if broker.pid]
        tell(pids, signal.SIGSTOP)
        return lambda: tell(pids, signal.SIGCONT)
    return lambda: None


def tell(pids: Sequence[int], word: signal.Signals) -> None:
    """Send *word* to each of *pids*."""
    for pid in pids:
        os.kill(pid, word)


def logger_to(path: Path) -> logging.Logger:
    """Return a logger that writes lines to *path*, as a bot would have it."""
    logger = logging.getLogger(f"bench.{path.stem}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    file = logging.FileHandler(path)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(file)
    return logger


def count_ids(broker: Broker, topic: str) -> int:
    """Count the distinct events on *topic*."""
    reader = broker.reader()
    decode = msgspec.json.Decoder(dict[str, object]).decode
    ids = set()
    for partition, (first, last) in reader.bounds(topic).items():
        for record in reader.read(TopicPartition(topic, partition), first, last):
            ids.add(decode(record.value() or b"{}")["id"])
    reader.close()
    return len(ids)


def draw(path: Path, runs: Sequence[tuple[Result, list[Measured]]]) -> None:
    """Draw how the calls' times are distributed: one panel per state of Kafka."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  only who asks for a figure pays for it

    figure, panels = plt.subplots(1, len(runs), figsize=(5 * len(runs), 4), sharey=True, squeeze=False)
    for panel, (result, kinds) in zip(panels[0], runs, strict=True):
        for kind in kinds:
            ordered = sorted(kind.took)
            shares = [1 - place / len(ordered) for place in range(len(ordered))]
            panel.loglog([max(each, 1) / 1000 for each in ordered], shares, label=kind.name)
        panel.axvline(15, color="grey", linestyle=":", linewidth=1)
        panel.axhline(0.01, color="grey", linestyle=":", linewidth=1)
        panel.set_title(f"Kafka {result.kafka}: +{result.memory_mib} MiB of {result.cap_mib:g}")
        panel.set_xlabel("µs per call")
    panels[0][0].set_ylabel("share of calls that took longer")
    panels[0][0].legend()
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Read the command line, run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kafka", default="up,down", help="up, down or frozen, or several with commas")
    parser.add_argument("--count", type=int, default=100_000, help="events of one run")
    parser.add_argument("--rate", type=int, default=10_000, help="events per second; 0 for as fast as it can")
    parser.add_argument("--durability", choices=["memory", "journal"], default="memory", help="what an emit waits for")
    parser.add_argument(
        "--journal-dir", type=Path, help="a directory on the disk to measure; a temporary one by default"
    )
    parser.add_argument("--memory", default="32MiB", help="the emitter's cap")
    parser.add_argument("--figure", type=Path, help="draw the distributions into this file")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        cluster = LocalKafka(directory / "kafka", port=free_ports())
        cluster.start()
        try:
            runs = [measure(kafka, cluster, arguments, directory) for kafka in arguments.kafka.split(",")]
        finally:
            cluster.stop()
    if arguments.figure:
        draw(arguments.figure, runs)
    results = [result for result, _ in runs]
    if arguments.json:
        print(msgspec.json.encode(results).decode())
        return
    for result in results:
        print(
            f"Kafka {result.kafka}, durability {result.durability}, "
            f"{result.count} events at {result.rate or 'full'} speed: "
            f"{result.memory_mib} MiB of {result.cap_mib:g}, {result.cpu_us} µs CPU per event and log line, "
            f"{result.spilled} spilled, {result.dropped} dropped, drained in {result.drained_s} s, "
            f"{result.arrived} arrived"
        )
        for name in ("emit", "logging", "floor"):
            spread: Spread = getattr(result, name)
            print(
                f"  {name:8} p50 {spread.p50:6.2f}  p99 {spread.p99:6.2f}  p99.9 {spread.p999:7.2f}  "
                f"longest {spread.longest:9.2f} µs"
            )


if __name__ == "__main__":
    main()
