"""What the console reads, and by whom: handed in by `headrace.app`, so that no service knows another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from headrace.broker.port import Reader
from headrace.clock import Clock
from headrace.eventlog.graphs import Graphs
from headrace.eventlog.pages import Pages
from headrace.eventlog.port import EventLog
from headrace.eventlog.upkeep import Upkeep
from headrace.model.destination import Destination
from headrace.wire.topics import TopicNames


class Log(EventLog, Pages, Upkeep, Graphs, Protocol):
    """An event log with all that pages ask of it."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change while the console runs. Times are in seconds."""

    environment: str
    names: TopicNames
    destinations: Mapping[str, Destination]
    destinations_of: Callable[[str], Sequence[str]]
    tiers: Sequence[float]
    give_up_after: float
    retention: float


class Sources(msgspec.Struct, kw_only=True):
    """What one thread of the desk reads. *log* and *reader* are its own; the others are everybody's."""

    log: Log
    reader: Reader
    facts: Facts
    clock: Clock

    def close(self) -> None:
        """Release what is the thread's own."""
        self.log.close()
        self.reader.close()
