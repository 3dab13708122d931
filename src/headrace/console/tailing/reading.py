"""Reads the events topic for the live tail, once a second and only while somebody looks on.

It begins a few records before the topic's end, and joins no group. Where more arrived than it reads in a second, it
reads the newest of each partition, in proportion, and says of how many.
"""

from collections.abc import Callable, Mapping

from headrace.broker.port import Reader
from headrace.console.tailing.rows import Seen
from headrace.console.tailing.tail import Tail
from headrace.model.record import TopicPartition

LOOK_EVERY = 1.0
"""Seconds between two looks."""

MOST = 20_000
"""Records that one look reads at most,"""

BYTES = 32 << 20
"""or bytes of them."""

BEFORE = 100
"""Records before the end that whoever comes first sees at once."""

GLANCE = 0.5
"""Seconds that one step waits for somebody who looks on."""


class TailReading:
    """Reads *topic* into *tail*. *open_reader* is called when somebody looks on for the first time."""

    def __init__(self, tail: Tail, open_reader: Callable[[], Reader], topic: str) -> None:
        self._tail = tail
        self._open_reader = open_reader
        self._reader: Reader | None = None
        self._topic = topic
        self._reached: dict[int, int] = {}

    def step(self) -> None:
        """Read once, if somebody looks on; raise `BrokerError` when Kafka does not answer."""
        if self._tail.wait(GLANCE):
            self.look()
        else:
            self._reached.clear()
            self._tail.forget()

    def close(self) -> None:
        """Let everybody go, and release what is held."""
        self._tail.close()
        if self._reader is not None:
            self._reader.close()

    def look(self) -> None:
        """Read what is new, and hand it out."""
        if self._reader is None:
            self._reader = self._open_reader()
        bounds = self._reader.bounds(self._topic)
        parts = self._new(bounds)
        arrived = sum(stop - start for start, stop in parts.values())
        share = min(1.0, MOST / max(1, arrived))
        seen: list[Seen] = []
        left = BYTES
        for partition, (start, stop) in sorted(parts.items()):
            self._reached[partition] = stop
            first = stop - round((stop - start) * share)
            if left <= 0 or first >= stop:
                continue
            for record in self._reader.read(TopicPartition(self._topic, partition), first, stop):
                left -= len(record.value() or b"")
                seen.append(Seen(record))
                if left <= 0:
                    break
        self._tail.publish(seen, arrived)

    def _new(self, bounds: Mapping[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
        """Return per partition what was not read yet; at first the last records before the end."""
        each = max(1, BEFORE // max(1, len(bounds)))
        parts: dict[int, tuple[int, int]] = {}
        for partition, (start, stop) in bounds.items():
            reached = self._reached.get(partition, stop - each)
            # A topic that was made anew ends before what was reached.
            parts[partition] = (min(max(start, reached), stop), stop) if reached <= stop else (start, stop)
        return parts
