"""What a simulated org writes down of what it took, so that a test can compare it with Headrace's own books."""

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from math import nan
from sys import intern

import msgspec

from headrace.testing.faults import Arrival

_TIME = re.compile(rb'"time":\s*"([^"]+)"')


class Latency(msgspec.Struct, frozen=True):
    """Seconds from an event's `time` to its first arrival."""

    count: int = 0
    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0


class Taken(msgspec.Struct, frozen=True):
    """One event that was taken: how often, and when first (seconds since the epoch)."""

    source: str
    id: str
    first_at: float
    times: int


class OrgDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One org's ledger.

    *requests* counts posts, *answers* their status (`hang` and `cut` where there was none), *received* events in
    posts whatever became of them, *distinct* the events that were taken and *duplicates* how often one was taken
    again. *refused* are distinct events that were turned down for themselves and never taken. *disorder* counts
    first arrivals of a session that came after one with a higher `seq`.
    """

    requests: int
    answers: dict[str, int]
    received: int
    distinct: int
    duplicates: int
    refused: int
    disorder: int
    latency: Latency
    taken: list[Taken] = []
    refused_ids: list[tuple[str, str]] = []
    sessions: dict[str, list[int]] = {}


class OrgLedger:
    """The ledger of one org."""

    def __init__(self) -> None:
        self.requests = 0
        self.answers: Counter[str] = Counter()
        self.received = 0
        self._counted = 0
        self._index: dict[tuple[str, str], int] = {}
        self._times: list[int] = []
        self._first_at = array("d")
        self._emitted_at = array("d")
        self._sessions: dict[tuple[str, str], array[int]] = {}
        self._refused: set[tuple[str, str]] = set()

    def take(self, events: Sequence[Arrival], at: float) -> None:
        """Note that *events* were taken at *at*."""
        for event in events:
            key = (intern(event.source), event.id)
            index = self._index.get(key)
            if index is not None:
                self._times[index] += 1
                continue
            self._index[key] = len(self._times)
            self._times.append(1)
            self._first_at.append(at)
            self._emitted_at.append(_seconds(event.time))
            self._sessions.setdefault((key[0], event.subject), array("q")).append(event.seq)

    def refuse(self, event: Arrival) -> None:
        """Note that *event* was turned down for itself."""
        self._refused.add((event.source, event.id))

    def count(self, body: bytes, at: float) -> None:
        """Note the events of *body* by number alone; the time of the first stands for all of the post."""
        events = body.count(b'"specversion"')
        self.received += events
        self._counted += events
        found = _TIME.search(body)
        self._first_at.append(at)
        self._emitted_at.append(_seconds(found[1].decode()) if found else nan)

    def document(self, since: float, until: float, *, ids: bool, sessions: bool) -> OrgDocument:
        """Return the ledger; latencies are those of events with a `time` from *since* up to *until*."""
        refused = self._refused - self._index.keys()
        return OrgDocument(
            requests=self.requests,
            answers=dict(self.answers),
            received=self.received,
            distinct=len(self._index) + self._counted,
            duplicates=sum(self._times) - len(self._times),
            refused=len(refused),
            disorder=sum(map(_disorder, self._sessions.values())),
            latency=self._latency(since, until),
            taken=[Taken(*key, self._first_at[at], self._times[at]) for key, at in self._index.items()] if ids else [],
            refused_ids=sorted(refused) if ids else [],
            sessions={" ".join(key): list(seqs) for key, seqs in self._sessions.items()} if sessions else {},
        )

    def _latency(self, since: float, until: float) -> Latency:
        both = zip(self._emitted_at, self._first_at, strict=True)
        waits = sorted(at - emitted for emitted, at in both if since <= emitted < until)
        if not waits:
            return Latency()
        return Latency(len(waits), waits[len(waits) // 2], waits[int(len(waits) * 0.99)], waits[-1])


def _disorder(seqs: "array[int]") -> int:
    return sum(later < earlier for earlier, later in pairwise(seqs))


def _seconds(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return nan
