"""Reads dead letters, and tells which of them are open."""

from collections.abc import Callable, Collection, Iterator
from typing import Literal

import msgspec

from headrace.broker.port import Reader
from headrace.errors import TopicMissing
from headrace.model.record import TopicPartition
from headrace.model.tile import RedriveNote
from headrace.wire import attempts
from headrace.wire.letters import DeadLetter, read_letter
from headrace.wire.topics import TopicNames

State = Literal["open", "redriven"]
"""A letter is open until a redrive has noted it."""

Position = tuple[int, int]
"""Partition and offset in the dead topic."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters are meant; what is None leaves the choice open. *since* is in seconds since the epoch."""

    state: State | None = "open"
    org: str | None = None
    destination: str | None = None
    reason: str | None = None
    since: float | None = None
    positions: Collection[Position] | None = None

    def takes(self, letter: DeadLetter, state: State) -> bool:
        """Tell whether *letter* is one of them."""
        return (
            (self.state is None or self.state == state)
            and (self.org is None or self.org == letter.org)
            and (self.destination is None or self.destination == letter.destination)
            and (self.reason is None or (letter.mark is not None and self.reason == letter.mark.reason))
            and (self.since is None or letter.died >= self.since)
            and (self.positions is None or (letter.partition, letter.offset) in self.positions)
        )


class DeadLetters:
    """The dead topic, as it stands when it is read."""

    def __init__(self, reader: Reader, names: TopicNames, seen: Callable[[int], None] = lambda _: None) -> None:
        self._reader = reader
        self._names = names
        self._seen = seen

    def read(self, wanted: Wanted) -> Iterator[tuple[DeadLetter, State]]:
        """Yield the letters that are wanted, partition by partition, each with its state.

        Raises `TopicMissing`, and `BrokerError` when Kafka does not answer.
        """
        topics = self._reader.topics()
        for name in (self._names.dead, self._names.attempts):
            if name not in topics:
                raise TopicMissing(f"the topic {name} does not exist: `headrace topics apply` makes it")
        redriven = self._redriven()
        read = 0
        for partition, (start, stop) in sorted(self._reader.bounds(self._names.dead).items()):
            first, last = _part(partition, start, stop, wanted.positions)
            if first >= last:
                continue
            for record in self._reader.read(TopicPartition(self._names.dead, partition), first, last):
                read += 1
                if read % 1000 == 0:
                    self._seen(read)
                letter = read_letter(record)
                state: State = "redriven" if (partition, letter.offset) in redriven else "open"
                if wanted.takes(letter, state):
                    yield letter, state

    def _redriven(self) -> set[Position]:
        """Read the notes of redrives."""
        noted: set[Position] = set()
        for partition, (start, stop) in self._reader.bounds(self._names.attempts).items():
            for record in self._reader.read(TopicPartition(self._names.attempts, partition), start, stop):
                value = record.value() or b""
                if b'"redrive"' not in value:
                    continue
                try:
                    document = attempts.decode(value)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                if isinstance(document, RedriveNote) and document.topic == self._names.dead:
                    noted.add((document.partition, document.offset))
        return noted


def _part(partition: int, start: int, stop: int, positions: Collection[Position] | None) -> tuple[int, int]:
    """Narrow what is read of a partition to the positions that are wanted."""
    if positions is None:
        return start, stop
    offsets = [offset for number, offset in positions if number == partition]
    return max(start, min(offsets, default=stop)), min(stop, max(offsets, default=start - 1) + 1)
