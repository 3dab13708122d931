"""Runs for tests of order, whose events are named after their session and their place on the main topic: `a5`."""

from collections.abc import Sequence

from headrace.broker.memory_cluster import Kept, MemoryRecord
from headrace.core.runs import Assignment, Chunk, Run
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.record import Origin, TopicPartition
from headrace.testing.clock import FakeClock
from headrace.wire.headers import encode

MAIN = "headrace.events"
TIER = "headrace.retry.5s"
VALUE = b'{"specversion":"1.0","id":"%s","source":"/orgs/acme/bots/bot","type":"bot.turn"}'


def mark(
    origin: int, *, attempts: int, due_at: float, since: float = 5.0, partition: int = 0, redriven: bool = False
) -> Mark:
    """Make the mark of an event that first failed or hopped *since* seconds before it is due."""
    return Mark(
        destination="crm",
        origin=Origin(MAIN, partition, origin),
        attempts=attempts,
        first_failed_at=due_at - since,
        due_at=due_at,
        reason="failed",
        redriven=redriven,
    )


def tier_record(name: str, offset: int, known: Mark, topic: str = TIER, partition: int = 0) -> MemoryRecord:
    """Make what a tier holds of the event *name*."""
    key, value = f"acme/{name[0]}".encode(), VALUE % name.encode()
    return MemoryRecord(Kept(topic, partition, offset, key, value, tuple(encode(known)), 0))


class Stage:
    """Makes runs of one assignment of a partition of the main topic, and of one of a tier."""

    def __init__(self, clock: FakeClock, destination: Destination) -> None:
        self._clock = clock
        self._destination = destination
        self.assignments: dict[TopicPartition, Assignment] = {}
        self._written = 0

    def fresh(self, names: str, *, org: str = "acme", partition: int = 0) -> Run:
        """Make a run of events that were polled from the main topic, such as `a5 b6 a7`."""
        places = [int(name[1:]) for name in names.split()]
        return self._run(MAIN, partition, org, names.split(), places, None)

    def due(
        self,
        names: str,
        *,
        attempts: int = 0,
        due_in: float = 0.0,
        org: str = "acme",
        partition: int = 0,
        since: float | Sequence[float] = 5.0,
    ) -> Run:
        """Make a run of events that were read from a tier, *due_in* seconds ahead; *since* is as in `mark`."""
        split = names.split()
        places = range(self._written, self._written + len(split))
        self._written += len(split)
        due_at = self._clock.wall() + due_in
        spans = since if isinstance(since, Sequence) else [since] * len(split)
        marks = [
            mark(int(name[1:]), attempts=attempts, due_at=due_at, since=span, partition=partition)
            for name, span in zip(split, spans, strict=True)
        ]
        return self._run(TIER, partition, org, split, list(places), marks)

    def leave(self) -> None:
        """Let go of all partitions; the next runs belong to new assignments."""
        for assignment in self.assignments.values():
            assignment.is_leaving = True
        self.assignments.clear()

    def _run(
        self, topic: str, partition: int, org: str, names: list[str], places: list[int], marks: list[Mark] | None
    ) -> Run:
        where = TopicPartition(topic, partition)
        assignment = self.assignments.setdefault(where, Assignment(where))
        chunk = Chunk(assignment, places[0], places[-1] + 1, len(names))
        chunk.open = len(names)
        keys = [f"{org}/{name[0]}".encode() for name in names]
        records = [
            MemoryRecord(Kept(topic, partition, place, key, b"{}", (), 0))
            for key, place in zip(keys, places, strict=True)
        ]
        values = [b"{}" for _ in names]
        size = 2 * len(names)
        return Run(chunk, org, self._destination, records, names, values, marks, size, self._clock.monotonic())
