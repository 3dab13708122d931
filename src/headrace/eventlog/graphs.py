"""The counters of an event log: what a keeper writes from the attempts topic, and what graphs read."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from headrace.eventlog.counting import Counter, Settled
from headrace.model.record import TopicPartition


class CounterQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which counters, in the order of time: of one org (None: the sum of all orgs), at one destination or each.

    They begin from *since* up to *until*, in *step*s of a minute or an hour.
    """

    org: str | None
    destination: str | None = None
    since: float
    until: float
    step: Literal[60, 3600] = 60


class TotalsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which sums, per org and destination: of one org or (None) of each, from *since* on, or of all time.

    *orgs*, where they are given, are those of which each is meant: those of a page are one question.

    The most dead letters come first, then the most retries, then the most events. *since* counts in whole hours.
    """

    org: str | None
    orgs: Collection[str] | None = None
    since: float | None = None
    limit: int = 1000


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What one step of a keeper adds, all or nothing.

    Either offsets of the attempts topic were read: *read* tells where from and to, and *tiles* wait from now on. Or
    tiles were judged: *settled* tells where a partition stood before and stands now, and the tiles *done* wait no more.
    Or all of it was counted up to some time: *moved* are the places `COUNTED` and `EMITTED`, from and to.
    """

    read: tuple[TopicPartition, int, int] | None = None
    tiles: Sequence[tuple[str, bytes]] = ()
    settled: tuple[Settled, Settled] | None = None
    done: Collection[str] = ()
    moved: Sequence[tuple[TopicPartition, int, int]] = ()
    counters: Sequence[Counter] = ()


COUNTED = TopicPartition("/counted", 0)
"""The place, of no topic that could be, that tells up to when all is counted: in whole seconds since the epoch."""

EMITTED = TopicPartition("/emitted", 0)
"""The place that tells how many records the events topic had ever had by then."""


class Graphs(Protocol):
    """Writes and reads counters. Each method raises `StoreError`."""

    def count(self, counted: Counted) -> bool:
        """Add *counted*, places and numbers in one transaction; return False when another keeper was there first."""
        ...

    def read_to(self, topic: str) -> Mapping[int, int]:
        """Return the offset that each partition of the attempts topic is to be read from."""
        ...

    def waiting(self) -> tuple[Mapping[TopicPartition, int], Sequence[bytes]]:
        """Return how far each partition's tiles are counted, and the tiles that wait."""
        ...

    def counters(self, query: CounterQuery) -> Sequence[Counter]: ...

    def totals(self, query: TotalsQuery) -> Sequence[Counter]: ...
