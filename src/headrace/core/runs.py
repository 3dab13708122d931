"""Chunks and runs: how events are held between the poll and the commit without a cost per event.

A *chunk* is what one poll returned of one partition. A *run* is the part of a chunk that goes to one org's
destination: parallel lists, and the bounds within them. Cutting a run makes another one over the same lists.
"""

from collections.abc import Sequence

from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.record import Record, TopicPartition

Fate = tuple[str, str]
"""How an event left its chunk: ("delivered", ""), ("tier", delay) or ("dead", reason)."""

DELIVERED: Fate = ("delivered", "")

EVENT_OVERHEAD = 1024
"""Bytes that an event in memory costs beside its value: record with its own headers and topic, key, id, list slots."""


class Assignment:
    """One assignment of one partition: its epoch.

    While it is leaving, what is under way may still settle, but nothing of it is posted any more. Once it is revoked
    nothing of it settles.
    """

    __slots__ = ("in_flight", "is_leaving", "is_revoked", "partition")

    def __init__(self, partition: TopicPartition) -> None:
        self.partition = partition
        self.is_leaving = False
        self.is_revoked = False
        self.in_flight = 0
        """Events under way in posts; kept by the event loop, read by the owner when the partition goes."""


class Chunk:
    """The offsets `first` up to, not including, `next`; `open` obligations keep it from being committed.

    `left` of those are events that were read ahead and left on their tier until it is their turn.
    """

    __slots__ = ("assignment", "fates", "first", "left", "next", "open", "records")

    def __init__(self, assignment: Assignment, first: int, following: int, records: int) -> None:
        self.assignment = assignment
        self.first = first
        self.next = following
        self.records = records
        self.open = 0
        self.left = 0
        self.fates: dict[tuple[str, str, Fate], int] = {}

    def settle(self, org: str, destination: str, fate: Fate, events: int = 1) -> None:
        """Count *events* of one org at one destination as gone from here."""
        key = (org, destination, fate)
        self.fates[key] = self.fates.get(key, 0) + events
        self.open -= events


class Run:
    """Events `start` up to `stop` of a chunk's events for one org at one destination, in offset order.

    *marks* is None for events of the main topic, which were never posted; a tier's events bring theirs.
    """

    __slots__ = ("at", "chunk", "destination", "ids", "marks", "org", "records", "size", "start", "stop", "values")

    def __init__(
        self,
        chunk: Chunk,
        org: str,
        destination: Destination,
        records: Sequence[Record],
        ids: Sequence[str],
        values: Sequence[bytes],
        marks: Sequence[Mark] | None,
        size: int,
        at: float,
    ) -> None:
        self.chunk = chunk
        self.org = org
        self.destination = destination
        self.records = records
        self.ids = ids
        self.values = values
        self.marks = marks
        self.at = at
        self.start = 0
        self.stop = len(ids)
        self.size = size

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def weight(self) -> int:
        """Bytes that the run holds in memory."""
        return self.size + EVENT_OVERHEAD * (self.stop - self.start)

    @property
    def partition(self) -> int:
        """The number that its partition has in every topic."""
        return self.chunk.assignment.partition.partition

    @property
    def attempts(self) -> int:
        """Posts that the first event of the run has behind it."""
        return self.marks[self.start].attempts if self.marks else 0

    def cut(self, events: int) -> "Run":
        """Take the first *events* off and return them as a run of their own."""
        head = Run.__new__(Run)
        head.chunk, head.org, head.destination = self.chunk, self.org, self.destination
        head.records, head.ids, head.values, head.marks = self.records, self.ids, self.values, self.marks
        head.at = self.at
        head.start, head.stop = self.start, self.start + events
        head.size = sum(map(len, self.values[head.start : head.stop]))
        self.start += events
        self.size -= head.size
        return head

    def pick(self, indices: Sequence[int]) -> "Run":
        """Return a run of the events at *indices*, ascending, over lists of its own."""
        return Run(
            self.chunk,
            self.org,
            self.destination,
            [self.records[index] for index in indices],
            [self.ids[index] for index in indices],
            [self.values[index] for index in indices],
            [self.marks[index] for index in indices] if self.marks else None,
            sum(len(self.values[index]) for index in indices),
            self.at,
        )
