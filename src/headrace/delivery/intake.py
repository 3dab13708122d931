"""From polled records to runs: each value is checked once, and grouped by org and destination.

This is the hottest loop of Headrace: what it does per event is one decode, one look at the key, and three appends.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from headrace.core.runs import Chunk, Run
from headrace.model.destination import Destination
from headrace.model.mark import NOBODY, DeadReason, Mark
from headrace.model.record import Record
from headrace.wire.envelope import Bad, Envelope, org_of, org_of_key, org_of_letter, read

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
    """Events of one chunk that share an org (and, on a tier, a destination)."""

    __slots__ = ("ids", "marks", "records", "size", "values")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.ids: list[str] = []
        self.values: list[bytes] = []
        self.marks: list[Mark] = []
        self.size = 0

    def add(self, record: Record, event_id: str) -> None:
        value = record.value() or b""
        self.records.append(record)
        self.ids.append(event_id)
        self.values.append(value)
        self.size += len(value)

    def run(self, chunk: Chunk, org: str, destination: Destination, now: float) -> Run:
        marks = self.marks or None
        return Run(chunk, org, destination, self.records, self.ids, self.values, marks, self.size, now)


class Intake:
    """Groups what one worker polls. Owned by the owner thread."""

    def __init__(self, routes: RoutesOf, destinations: Mapping[str, Destination]) -> None:
        self._routes = routes
        self._destinations = destinations
        self._owners: dict[bytes, tuple[str, str]] = {}

    def take_fresh(self, chunk: Chunk, records: Sequence[Record], now: float) -> Taken:
        """Group records of the main topic by org, and route each org's events to its destinations."""
        groups: dict[str, _Group] = {}
        dead: list[Dead] = []
        for record in records:
            owned = self._read(record)
            if isinstance(owned, Bad):
                dead.append(_nobodys(record, owned))
                continue
            envelope, org = owned
            group = groups.get(org)
            if group is None:
                group = groups[org] = _Group()
            group.add(record, envelope.id)
        runs: list[Run] = []
        for org, group in groups.items():
            destinations = self._routes(org)
            runs += [group.run(chunk, org, destination, now) for destination in destinations]
            if not destinations:
                dead += [
                    Dead(record, org, NOBODY, "no_route", f"no route leads anywhere for the org {org}")
                    for record in group.records
                ]
        chunk.open += sum(map(len, runs)) + len(dead)
        return Taken(runs, dead)

    def take_due(self, chunk: Chunk, records: Sequence[tuple[Record, Mark | None]], now: float) -> Taken:
        """Group records of a tier by org and the destination that their marks name."""
        groups: dict[tuple[str, str], _Group] = {}
        dead: list[Dead] = []
        for record, mark in records:
            owned = self._read(record)
            if isinstance(owned, Bad):
                dead.append(_nobodys(record, owned, mark))
                continue
            envelope, org = owned
            if mark is None:
                dead.append(Dead(record, org, NOBODY, "no_destination", "its headers name no destination"))
            elif mark.destination not in self._destinations:
                error = f"the destination {mark.destination} is not configured any more"
                dead.append(Dead(record, org, mark.destination, "no_destination", error, mark))
            else:
                group = groups.setdefault((org, mark.destination), _Group())
                group.add(record, envelope.id)
                group.marks.append(mark)
        runs = [
            group.run(chunk, org, self._destinations[destination], now) for (org, destination), group in groups.items()
        ]
        chunk.open += len(records)
        return Taken(runs, dead)

    def _read(self, record: Record) -> tuple[Envelope, str] | Bad:
        """Check one record and find whose it is; the owner of a key's head is looked up only once."""
        envelope = read(record.value())
        if isinstance(envelope, Bad):
            return envelope
        key = record.key()
        known = self._owners.get(key.partition(b"/")[0]) if key else None
        if known is not None and envelope.source.startswith(known[1]):
            return envelope, known[0]
        org = org_of(key, envelope.source)
        if isinstance(org, Bad):
            return org
        if key and org_of_key(key) == org:
            if len(self._owners) >= OWNERS_KEPT:
                self._owners.clear()
            self._owners[key.partition(b"/")[0]] = (org, f"/orgs/{org}/bots/")
        return envelope, org


def _nobodys(record: Record, bad: Bad, mark: Mark | None = None) -> Dead:
    org = org_of_letter(record.key(), bad.reason)
    return Dead(record, org, mark.destination if mark else NOBODY, bad.reason, bad.error, mark)
