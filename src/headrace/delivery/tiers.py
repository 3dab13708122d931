"""Reading tiers: when is which of their records due? Since a tier has one constant delay, its head is the next one."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from headrace.broker.port import Consumer
from headrace.core.offsets import Progress
from headrace.core.runs import Chunk, Run
from headrace.model.mark import Mark
from headrace.model.record import Record, TopicPartition
from headrace.wire.headers import decode

Marked = tuple[Record, Mark | None]

Due = tuple[Chunk, Sequence[Marked]]
"""What was found due in one poll, and the chunk that it is part of."""


def read_mark(record: Record) -> Mark | None:
    """Read a tier record's mark; None when somebody else wrote it there without one."""
    try:
        return decode(record.headers())
    except ValueError:
        return None


class Tiers(Protocol):
    """How the owner reads the tiers. Called by the owner thread only, with its consumer."""

    def subscribed(self, topics: Sequence[str]) -> None:
        """The worker asks the group for these topics from now on."""
        ...

    def assigned(self, progresses: Iterable[Progress], consumer: Consumer) -> None:
        """Partitions came, of the main topic and of tiers."""
        ...

    def confirm(self, consumer: Consumer) -> None:
        """Where it matters, make sure after a silence that the partitions are still this worker's."""
        ...

    def going(self, partitions: Sequence[TopicPartition]) -> set[TopicPartition]:
        """Name those of which nothing more may be posted when *partitions* come or go."""
        ...

    def gone(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions went away."""
        ...

    def work(self, consumer: Consumer, now: float) -> Sequence[Due]:
        """Resume what is to be read on at *now*, on the calendar, and return what is due; called before each poll."""
        ...

    def broken(self) -> Sequence[TopicPartition]:
        """Name partitions that have to begin anew where they are booked."""
        ...

    def is_asleep(self, partition: TopicPartition) -> bool:
        """Tell whether a partition is paused until something is due."""
        ...

    def takes(self, partition: TopicPartition) -> bool:
        """Tell whether a partition's records may be taken in now."""
        ...

    def read(self, progress: Progress, polled: Sequence[Record], consumer: Consumer, now: float) -> Sequence[Due]:
        """Return what of a tier's *polled* records is due; the rest comes again. Chunks are added to *progress*."""
        ...

    @property
    def weight(self) -> int:
        """Bytes of events that are held here until they are due."""
        ...

    def put_back(self, run: Run) -> None:
        """Take back events that were read ahead too early."""
        ...
