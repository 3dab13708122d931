"""The gauge of the demo's river: how much waits on each retry tier, how far the worker is behind, and the books."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from types import TracebackType
from typing import Self

import msgspec

from headrace.broker.port import Reader
from headrace.core.report import Report
from headrace.errors import HeadraceError
from headrace.model.record import TopicPartition
from headrace.wire.topics import TopicNames

READ_EVERY = 1.0
"""Seconds between two readings of the tiers, and between two closings of the books."""


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """One retry tier: its name, its delay in seconds, how many events wait on it, and how many more than before."""

    name: str
    delay: float
    waiting: int
    change: int = 0


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The river at one moment. *lag* counts records of the main topic that are not settled yet.

    *full* is what the highest column of a picture of the tiers holds. The books are a little older than the tiers.
    """

    at: float
    lag: int
    tiers: Sequence[Tier]
    full: int
    books: Report | None = None


def read_levels(reader: Reader, names: TopicNames, now: float) -> Reading:
    """Read the tiers and the lag; raise `BrokerError` when Kafka does not answer."""
    delays = {name: delay for name in reader.topics() if (delay := names.delay_of(name)) is not None}
    topics = [names.events, *sorted(delays, key=lambda name: delays[name])]
    waiting = dict.fromkeys(topics, 0)
    for topic in topics:
        bounds = reader.bounds(topic)
        committed = reader.committed(names.group, [TopicPartition(topic, number) for number in bounds])
        for number, (first, end) in bounds.items():
            found = committed.get(TopicPartition(topic, number))
            waiting[topic] += end - (first if found is None else max(first, found.offset))
    lag = waiting.pop(names.events)
    tiers = [
        Tier(name=str(delays[topic]), delay=float(delays[topic]), waiting=count) for topic, count in waiting.items()
    ]
    return Reading(at=now, lag=lag, tiers=tiers, full=scale([tier.waiting for tier in tiers]))


def since(before: Reading | None, now: Reading) -> Reading:
    """Return *now* with what changed on each tier since *before*; a column that drains keeps its scale for long."""
    if before is None:
        return now
    levels = {tier.name: tier.waiting for tier in before.tiers}
    tiers = [
        msgspec.structs.replace(tier, change=tier.waiting - levels.get(tier.name, tier.waiting)) for tier in now.tiers
    ]
    is_high = any(tier.waiting > before.full / 10 for tier in tiers)
    return msgspec.structs.replace(now, tiers=tiers, full=max(now.full, before.full if is_high else 0))


def scale(levels: Sequence[int], least: int = 50) -> int:
    """Return the smallest of 50, 100, 200, 500, 1,000, … that is no less than any of *levels*."""
    most = max(levels, default=0)
    unit = 1
    while True:
        for step in (1, 2, 5):
            if step * unit >= max(most, least):
                return step * unit
        unit *= 10


class Gauge:
    """Reads in threads of its own while the context lasts: one for the tiers, one for the books, which take longer."""

    def __init__(self, open_reader: Callable[[], Reader], names: TopicNames, close_books: Callable[[], Report]) -> None:
        self._open = open_reader
        self._names = names
        self._close_books = close_books
        self._latest: Reading | None = None
        self._books: Report | None = None
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=f"headrace-demo-{name}", daemon=True)
            for name, target in (("tiers", self._read_tiers), ("books", self._read_books))
        ]

    def latest(self) -> Reading | None:
        """Return the last reading; None before the first, which takes a moment."""
        latest = self._latest
        return None if latest is None else msgspec.structs.replace(latest, books=self._books)

    def _read_tiers(self) -> None:
        with closing(self._open()) as reader:
            while not self._end.is_set():
                # A broker that does not answer is asked again; meanwhile the page shows how old the reading is.
                with suppress(HeadraceError):
                    self._latest = since(self._latest, read_levels(reader, self._names, time.time()))
                self._end.wait(READ_EVERY)

    def _read_books(self) -> None:
        while not self._end.is_set():
            with suppress(HeadraceError):
                self._books = self._close_books()
            self._end.wait(READ_EVERY)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(10)
