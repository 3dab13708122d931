"""From polled records to runs: each value is checked once, and grouped by org and destination.

This is the hottest loop of Headrace: what it does per event is one decode, one look at the key, and three appends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from headrace.core.runs import Chunk, Run
from headrace.model.destination import Destination
from headrace.model.mark import NOBODY, DeadReason, Mark
from headrace.model.record import Record
from headrace.wire.envelope import Bad, org_of, org_of_key, org_of_letter, read

RoutesOf = Callable[[str], Sequence[Destination]]
"""Names the destinations of an org; those in force when a record is polled count."""

OWNERS_KEPT = 100_000
"""Heads of keys whose org is remembered, so that hostile keys cannot fill the memory."""


class Dead(msgspec.Struct, frozen=True):
    """A record that cannot be delivered to anybody, and why."""

    record: Record
    org: str
    destination: str
    reason: DeadReason
    error: str
    mark: Mark | None = None


class Taken(msgspec.Struct, frozen=True):
    """What one chunk came to: runs for the lanes, and dead letters."""

    runs: list[Run]
    dead: list[Dead]


class _Group:
    """Events of one chunk that share an org (and, on a tier, a destination): parallel lists."""

    __slots__ = ("ids", "marks", "records", "values")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.ids: list[str] = []
        self.values: list[bytes] = []
        self.marks: list[Mark] = []

    def runs(self, chunk: Chunk, org: str, destinations: Sequence[Destination], now: float) -> list[Run]:
        """Return one run per destination, all over these lists."""
        size = sum(map(len, self.values))
        marks = self.marks or None
        return [Run(chunk, org, each, self.records, self.ids, self.values, marks, size, now) for each in destinations]


class _Owner(NamedTuple):
    """Whose events come under a key, and how their sources begin."""

    org: str
    source: str


class Intake:
    """Groups what one worker polls. Owned by the owner thread."""

    def __init__(self, routes: RoutesOf, destinations: Mapping[str, Destination]) -> None:
        self._routes = routes
        self._destinations = destinations
        self._owners: dict[bytes, _Owner] = {}

    def take_fresh(self, chunk: Chunk, records: Sequence[Record], now: float) -> Taken:
        """Group records of the main topic by org, and route each org's events to its destinations."""
        groups: dict[str, _Group] = {}
        dead: list[Dead] = []
        owners = self._owners
        # Every call that this loop can do without is one for every event that Headrace carries.
        for record in records:
            value, key = record.value() or b"", record.key()
            envelope = read(value)
            if isinstance(envelope, Bad):
                dead.append(_nobodys(record, envelope))
                continue
            owner = owners.get(key.partition(b"/")[0]) if key else None
            if owner is None or not envelope.source.startswith(owner.source):
                found = self._find_owner(key, envelope.source)
                if isinstance(found, Bad):
                    dead.append(_nobodys(record, found))
                    continue
                owner = found
            group = groups.get(owner.org)
            if group is None:
                group = groups[owner.org] = _Group()
            group.records.append(record)
            group.ids.append(envelope.id)
            group.values.append(value)
        runs: list[Run] = []
        for org, group in groups.items():
            destinations = self._routes(org)
            runs += group.runs(chunk, org, destinations, now)
            if not destinations:
                error = f"no route leads anywhere for the org {org}"
                dead += [Dead(record, org, NOBODY, "no_route", error) for record in group.records]
        chunk.open += sum(map(len, runs)) + len(dead)
        return Taken(runs, dead)

    def take_due(self, chunk: Chunk, records: Sequence[tuple[Record, Mark | None]], now: float) -> Taken:
        """Group records of a tier by org and the destination that their marks name; *chunk* waits for them already."""
        groups: dict[tuple[str, str], _Group] = {}
        dead: list[Dead] = []
        for record, mark in records:
            envelope = read(record.value())
            if isinstance(envelope, Bad):
                dead.append(_nobodys(record, envelope, mark))
                continue
            owner = self._find_owner(record.key(), envelope.source)
            if isinstance(owner, Bad):
                dead.append(_nobodys(record, owner, mark))
            elif mark is None:
                dead.append(Dead(record, owner.org, NOBODY, "no_destination", "its headers name no destination"))
            elif mark.destination not in self._destinations:
                error = f"the destination {mark.destination} is not configured any more"
                dead.append(Dead(record, owner.org, mark.destination, "no_destination", error, mark))
            else:
                group = groups.setdefault((owner.org, mark.destination), _Group())
                group.records.append(record)
                group.ids.append(envelope.id)
                group.values.append(record.value() or b"")
                group.marks.append(mark)
        runs = [
            run
            for (org, destination), group in groups.items()
            for run in group.runs(chunk, org, [self._destinations[destination]], now)
        ]
        return Taken(runs, dead)

    def _find_owner(self, key: bytes | None, source: str) -> _Owner | Bad:
        """Find whose an event is, and remember it for the next one under the same key."""
        org = org_of(key, source)
        if isinstance(org, Bad):
            return org
        owner = _Owner(org, f"/orgs/{org}/bots/")
        if key and org_of_key(key) == org:
            if len(self._owners) >= OWNERS_KEPT:
                self._owners.clear()
            self._owners[key.partition(b"/")[0]] = owner
        return owner


def _nobodys(record: Record, bad: Bad, mark: Mark | None = None) -> Dead:
    org = org_of_letter(record.key(), bad.reason)
    return Dead(record, org, mark.destination if mark else NOBODY, bad.reason, bad.error, mark)
