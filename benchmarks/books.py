"""What does it cost to close the books of a river that has flowed for long?

    python benchmarks/books.py --tiles 1000000 --orgs 1000

Writes that many tiles, and the records that they cover, into a real Kafka with 6 partitions, and closes the books in a
process of its own for each way: `all` keeps every tile, as the deep audit has to; `once` is the audit of a person;
`again` is the console's: it closes them, a thousand tiles are added, and it closes them anew. Told are seconds, records
read and the resident memory that the process had at most. All three have to find the same books.
"""

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as KafkaPartition

from headrace import app
from headrace import config as configuration
from headrace.core.columns import Columns
from headrace.core.volume import KEPT
from headrace.ledger.audit import Ledger
from headrace.model.tile import Count, Tile
from headrace.wire import attempts
from machine import Machine, machine, sentence
from stage import Stage, local_kafka

PARTITIONS = 6
COUNTS = 3
"""Orgs of one tile."""
MORE = 1000
"""Tiles that are added before the books are closed again."""
BEGUN = 1_800_000_000


class Closing(msgspec.Struct, frozen=True):
    """How long it took, how many records were read, and what was found."""

    seconds: float
    read: int
    total: Columns


class Way(msgspec.Struct, frozen=True):
    """The closings of one process, and its memory, in MiB, before the first and at most."""

    closings: list[Closing]
    before: float
    most: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All ways."""

    machine: Machine
    tiles: int
    orgs: int
    ways: dict[str, Way]


class Author:
    """Writes tiles, each of one record for each of its orgs, and commits them."""

    def __init__(self, stage: Stage, kafka: str, orgs: int) -> None:
        self._names = stage.names
        self._stage = stage
        self._producer = Producer(
            {"bootstrap.servers": kafka, "linger.ms": 20, "queue.buffering.max.messages": 100_000}
        )
        self._consumer = Consumer({"bootstrap.servers": kafka, "group.id": stage.names.group})
        self._random = random.Random(1)
        self._orgs = orgs
        self._next = [0] * PARTITIONS
        self._last: list[str | None] = [None] * PARTITIONS
        self._written = 0

    def write(self, tiles: int) -> None:
        """Write *tiles* more, and commit what they cover."""
        for _ in range(tiles):
            number = self._written % PARTITIONS
            tile = self._tile(number)
            self._send(self._names.attempts, attempts.key(tile.topic, number), attempts.encode(tile), number)
            for count in tile.counts:
                self._send(self._names.events, f"{count.org}/s".encode(), b"{}", number)
        self._producer.flush()
        self._consumer.commit(offsets=[self._place(number) for number in range(PARTITIONS)], asynchronous=False)

    def _place(self, number: int) -> KafkaPartition:
        return KafkaPartition(self._names.events, number, self._next[number], metadata=self._last[number] or "")

    def _tile(self, number: int) -> Tile:
        first = self._next[number]
        orgs = self._random.sample(range(self._orgs), COUNTS)
        tile = Tile(
            id=f"w-{self._written}",
            previous=self._last[number],
            topic=self._names.events,
            partition=number,
            first=first,
            next=first + COUNTS,
            records=COUNTS,
            at=time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(BEGUN + self._written // 10)),
            counts=[Count(org=f"00D{org:012d}", destination="crm", delivered=1) for org in orgs],
        )
        self._written += 1
        self._next[number] += COUNTS
        self._last[number] = tile.id
        return tile

    def _send(self, topic: str, key: bytes, value: bytes, number: int) -> None:
        while True:
            try:
                self._producer.produce(topic, key=key, value=value, partition=number)
            except BufferError:
                self._producer.poll(0.05)
            else:
                return


def closer(way: str, file: Path) -> Callable[[], Closing]:
    """Return what closes the books of the river that *file* configures, in this process."""
    config = configuration.load(file, {})
    routes = app.destinations_of(config)
    ledger = Ledger(config.names, routes, deep=False, kept=sys.maxsize if way == "all" else KEPT)

    def close() -> Closing:
        read: list[int] = []
        begun = time.perf_counter()
        with closing(app.broker(config).reader()) as reader:
            found = ledger.close(reader, seen=read.append)
        return Closing(round(time.perf_counter() - begun, 3), read[-1], found.account.total())

    return close


_close: Callable[[], Closing]


def begin(way: str, file: Path) -> float:
    """Make this process ready; return the memory that it has, in MiB."""
    global _close  # noqa: PLW0603  what a process of the pool keeps between two calls
    _close = closer(way, file)
    return memory()


def close() -> tuple[Closing, float]:
    """Close the books in this process; return also the most memory that it had."""
    return _close(), memory()


def memory() -> float:
    """Return the largest resident memory of this process, in MiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def measure(directory: Path, tiles: int, orgs: int) -> dict[str, Way]:
    """Write the tiles, and close their books in every way."""
    with local_kafka(directory / "kafka") as kafka:
        tables = {"topics": {"prefix": "books.", "partitions": PARTITIONS}}
        with Stage(directory / "books", kafka, tables) as stage:
            author = Author(stage, kafka, orgs)
            author.write(tiles)
            ways = {way: in_process(way, stage.file, lambda: None) for way in ("all", "once")}
            ways["again"] = in_process("again", stage.file, lambda: author.write(MORE))
    return ways


def in_process(way: str, file: Path, more: Callable[[], None]) -> Way:
    """Close the books in a process of their own, and again after *more* if this is the way."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        before = pool.submit(begin, way, file).result()
        closings = [pool.submit(close).result()]
        if way == "again":
            more()
            closings.append(pool.submit(close).result())
    return Way([each for each, _ in closings], before, closings[-1][1])


def main() -> None:
    """Measure, check that all ways find the same, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=100_000)
    parser.add_argument("--orgs", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    found = machine()
    with tempfile.TemporaryDirectory() as directory:
        ways = measure(Path(directory), arguments.tiles, arguments.orgs)
    totals = [way.closings[0].total for way in ways.values()]
    if any(total != totals[0] for total in totals) or not totals[0].is_balanced:
        sys.exit(f"the ways do not agree, or the books do not balance: {totals}")
    result = Result(machine=found, tiles=arguments.tiles, orgs=arguments.orgs, ways=ways)
    if arguments.json:
        print(msgspec.json.encode(result).decode())
        return
    print(sentence(found))
    for name, way in ways.items():
        for each in way.closings:
            print(f"{name:>6}: {each.seconds:8.2f} s, {each.read:>10,} records, {way.most - way.before:7.1f} MiB more")


if __name__ == "__main__":
    main()
