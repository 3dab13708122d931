"""Looks for records of Kafka that are one event's, within bounds: so many records, and so long."""

from collections.abc import Iterator, Mapping, Sequence

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
        self._ends = clock.monotonic() + seconds
        self._bounds: dict[str, dict[int, tuple[int, int]]] = {}
        self._offsets: dict[tuple[str, float], Mapping[int, int]] = {}
        self.left = records
        self.looked_at = 0
        self.is_cut = False

    @property
    def now(self) -> float:
        """The time of day, in seconds since the epoch."""
        return self._clock.wall()

    @property
    def is_over(self) -> bool:
        """Whether nothing more may be looked at."""
        return self.left <= 0 or self._clock.monotonic() > self._ends

    def allow(self, records: int) -> None:
        """Begin another part of the search, with so many records of its own; the time is that of the whole."""
        self.left = records

    def partitions(self, topic: str) -> int:
        """Return how many partitions *topic* has; none when it does not exist."""
        return len(self._bounds_of(topic))

    def offsets(self, topic: str, at: float | None) -> Mapping[int, int]:
        """Return by partition the first offset from *at* on, within what is kept; without a time the end."""
        bounds = self._bounds_of(topic)
        if at is None or not bounds:
            return {partition: end for partition, (_, end) in bounds.items()}
        if (topic, at) not in self._offsets:
            found = self._reader.offsets_at(topic, at)
            self._offsets[topic, at] = {
                partition: max(first, min(end, found.get(partition, end))) for partition, (first, end) in bounds.items()
            }
        return self._offsets[topic, at]

    def records(self, topic: str, partitions: Sequence[int], since: float, until: float | None) -> Iterator[Record]:
        """Yield what was written from *since* up to *until* or now, partition by partition, as far as the bounds go."""
        starts, stops = self.offsets(topic, since), self.offsets(topic, until)
        for partition in partitions:
            yield from self.stretch(TopicPartition(topic, partition), starts.get(partition, 0), stops.get(partition, 0))

    def stretch(self, place: TopicPartition, start: int, stop: int) -> Iterator[Record]:
        """Yield the records of `[start, stop)`, as far as the bounds go."""
        if start >= stop:
            return
        most = start if self.is_over else min(stop, start + self.left)
        self.is_cut |= most < stop
        for record in self._reader.read(place, start, most):
            self.looked_at += 1
            self.left -= 1
            yield record
            if self._clock.monotonic() > self._ends:
                self.is_cut = True
                return

    def is_kept(self, topic: str, since: float) -> bool:
        """Tell whether *topic* still has all that was written since then."""
        starts = self.offsets(topic, since)
        return all(first == 0 or starts[partition] > first for partition, (first, _) in self._bounds_of(topic).items())

    def written_at(self, place: Origin) -> float | None:
        """Return when the record at *place* was written; None where it is not kept."""
        first, end = self._bounds_of(place.topic).get(place.partition, (0, 0))
        if not first <= place.offset < end:
            return None
        where = TopicPartition(place.topic, place.partition)
        return next(
            (record.timestamp()[1] / 1000 for record in self.stretch(where, place.offset, place.offset + 1)), None
        )

    def _bounds_of(self, topic: str) -> dict[int, tuple[int, int]]:
        if topic not in self._bounds:
            try:
                self._bounds[topic] = dict(self._reader.bounds(topic))
            except TopicMissing:
                self._bounds[topic] = {}
        return self._bounds[topic]


def likely_partitions(identity: Identity, partitions: int) -> list[int]:
    """Return the partitions that an event has under `session` and under `org` ordering."""
    keys = (f"{identity.org}/{identity.session}", identity.org)
    first = [partition_of(key.encode(errors="surrogatepass"), partitions) for key in keys] if partitions else []
    return list(dict.fromkeys(first))


def is_of(record: Record, identity: Identity) -> bool:
    """Tell whether *record* is the event."""
    value = record.value()
    # Most records are others, which a search for bytes tells far faster than a parser.
    if value is None or identity.id.encode() not in value:
        return False
    envelope = read(value)
    return not isinstance(envelope, Bad) and (envelope.id, envelope.source) == (identity.id, identity.source)


def post_in(record: Record, place: Origin, org: str) -> tuple[Attempt, bool] | None:
    """Return the attempt that *record* tells if *place* was in it, and whether that is certain.

    A span names only the lowest and the highest offset: with gaps between, another org's event may lie there.
    """
    value = record.value()
    if value is None or b'"attempt"' not in value:
        return None
    try:
        attempt = attempts.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(attempt, Attempt) or attempt.org not in {org, "*"}:
        return None
    for span in attempt.spans:
        is_there = (span.topic, span.partition) == (place.topic, place.partition)
        if is_there and span.first <= place.offset <= span.last:
            is_end = place.offset in {span.first, span.last}
            return attempt, is_end or span.events == span.last - span.first + 1
    return None
