"""Looks for records of Kafka that are one event's, within bounds: so many records, and so long."""

from collections.abc import Iterator, Sequence

import msgspec

from headrace.broker.partitioning import partition_of
from headrace.broker.port import Reader
from headrace.clock import Clock
from headrace.errors import TopicMissing
from headrace.model.record import Origin, Record, TopicPartition
from headrace.wire import attempts
from headrace.wire.attempts import Attempt
from headrace.wire.envelope import Bad, read

EARLY = 5.0
"""Seconds that a record may be older than its event says: clocks differ."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What an event is known by, and what its key is made of."""

    org: str
    session: str
    source: str
    id: str


class Search:
    """One search, within so many *records* and *seconds*.

    *looked_at* counts records; *is_cut* says that its bounds ended it before its time.
    """

    def __init__(self, reader: Reader, clock: Clock, records: int, seconds: float) -> None:
        self._reader = reader
        self._clock = clock
        self._most = records
        self._ends = clock.monotonic() + seconds
        self._bounds: dict[str, dict[int, tuple[int, int]]] = {}
        self.looked_at = 0
        self.is_cut = False

    def partitions(self, topic: str) -> int:
        """Return how many partitions *topic* has; none when it does not exist."""
        return len(self._bounds_of(topic))

    def records(self, topic: str, partitions: Sequence[int], since: float, until: float | None) -> Iterator[Record]:
        """Yield what was written from *since* up to *until* or now, partition by partition, as far as the bounds go."""
        bounds = self._bounds_of(topic)
        if not bounds:
            return
        starts = self._reader.offsets_at(topic, since)
        stops = None if until is None else self._reader.offsets_at(topic, until)
        for partition in partitions:
            first, end = bounds.get(partition, (0, 0))
            start = max(first, starts.get(partition, end))
            stop = end if stops is None else min(end, stops.get(partition, end))
            yield from self._part(TopicPartition(topic, partition), start, stop)

    def is_kept(self, topic: str, partition: int, since: float) -> bool:
        """Tell whether *topic* still has all that was written since then."""
        first, _ = self._bounds_of(topic).get(partition, (0, 0))
        return first == 0 or self._reader.offsets_at(topic, since).get(partition, 0) > first

    def _part(self, place: TopicPartition, start: int, stop: int) -> Iterator[Record]:
        most = min(stop, start + self._most - self.looked_at)
        self.is_cut |= most < stop
        for record in self._reader.read(place, start, most):
            self.looked_at += 1
            yield record
            if self._clock.monotonic() > self._ends:
                self.is_cut = True
                return

    def _bounds_of(self, topic: str) -> dict[int, tuple[int, int]]:
        if topic not in self._bounds:
            try:
                self._bounds[topic] = dict(self._reader.bounds(topic))
            except TopicMissing:
                self._bounds[topic] = {}
        return self._bounds[topic]


def likely_partitions(identity: Identity, partitions: int) -> list[int]:
    """Return all partitions, those first that an event has under `session` and under `org` ordering."""
    keys = (f"{identity.org}/{identity.session}", identity.org)
    first = [partition_of(key.encode(errors="surrogatepass"), partitions) for key in keys] if partitions else []
    return list(dict.fromkeys((*first, *range(partitions))))


def is_of(record: Record, identity: Identity) -> bool:
    """Tell whether *record* is the event."""
    value = record.value()
    # Most records are others, which a search for bytes tells far faster than a parser.
    if value is None or identity.id.encode() not in value:
        return False
    envelope = read(value)
    return not isinstance(envelope, Bad) and (envelope.id, envelope.source) == (identity.id, identity.source)


def posts_in(record: Record, places: Sequence[Origin], org: str) -> Iterator[tuple[Attempt, Origin, bool]]:
    """Yield the attempt that *record* tells if one of *places* was in it, and whether that is certain.

    A span names only the lowest and the highest offset: with gaps between, another org's event may lie there.
    """
    value = record.value()
    if value is None or b'"attempt"' not in value:
        return
    try:
        attempt = attempts.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    if not isinstance(attempt, Attempt) or attempt.org not in {org, "*"}:
        return
    for span in attempt.spans:
        for place in places:
            if (span.topic, span.partition) == (
                place.topic,
                place.partition,
            ) and span.first <= place.offset <= span.last:
                is_end = place.offset in {span.first, span.last}
                yield attempt, place, is_end or span.events == span.last - span.first + 1
