"""Tiles and commits: what settled is booked first and committed then, partition by partition (design, section 3.5)."""

from collections.abc import Iterable, Mapping

from headrace.broker.port import Committed, Consumer
from headrace.clock import Clock
from headrace.core.offsets import Progress
from headrace.core.runs import Chunk
from headrace.delivery.mailer import Mailer, Parcel
from headrace.model.record import TopicPartition
from headrace.telemetry.metrics import Metrics
from headrace.wire import attempts
from headrace.wire.attempts import Count, Tile
from headrace.wire.times import to_text

COMMIT_EVERY = 0.1
"""Seconds between commits."""

REPEAT_EVERY = 5.0
"""Seconds after which everything is committed once more, since a commit that failed is not heard of."""


class Books:
    """Writes the tiles of one worker, whose name makes their ids unique, and commits what they cover."""

    def __init__(self, worker: str, attempts_topic: str, mailer: Mailer, clock: Clock, metrics: Metrics) -> None:
        self._worker = worker
        self._topic = attempts_topic
        self._mailer = mailer
        self._clock = clock
        self._metrics = metrics
        self._written = 0
        self._committed_at = 0.0
        self._repeated_at = clock.monotonic()

    def book(self, progresses: Iterable[Progress]) -> None:
        """Write a tile for every chunk that has settled with nothing unsettled before it."""
        for progress in progresses:
            while (chunk := progress.next_settled()) is not None:
                self._write(progress, chunk)

    def commit(self, progresses: Mapping[TopicPartition, Progress], consumer: Consumer, *, wait: bool = False) -> None:
        """Commit what is booked, at most every `COMMIT_EVERY` seconds; with *wait* all of it, and now."""
        now = self._clock.monotonic()
        if not wait and now - self._committed_at < COMMIT_EVERY:
            return
        self._committed_at = now
        repeats = wait or now - self._repeated_at >= REPEAT_EVERY
        if repeats:
            self._repeated_at = now
        places: dict[TopicPartition, Committed] = {}
        for partition, progress in progresses.items():
            if progress.booked is not None and (repeats or progress.booked != progress.asked):
                progress.asked = progress.booked
                places[partition] = Committed(*progress.booked)
        if places:
            consumer.commit(places, wait=wait)
            self._metrics.count("commits")

    def _write(self, progress: Progress, chunk: Chunk) -> None:
        self._written += 1
        topic, partition = chunk.assignment.partition
        tile = Tile(
            id=f"{self._worker}-{self._written}",
            previous=progress.last_tile,
            topic=topic,
            partition=partition,
            first=chunk.first,
            next=chunk.next,
            records=chunk.records,
            at=to_text(self._clock.wall()),
            counts=_counts(chunk),
        )
        progress.tile_written(tile.id)
        self._mailer.send(
            Parcel(
                topic=self._topic,
                key=attempts.key(topic, partition),
                value=attempts.encode(tile),
                acknowledged=lambda: progress.tile_booked(tile.id),
            )
        )


def _counts(chunk: Chunk) -> list[Count]:
    """Turn a chunk's fates into one count per org and destination."""
    counts: dict[tuple[str, str], Count] = {}
    for (org, destination, (kind, detail)), events in chunk.fates.items():
        count = counts.get((org, destination))
        if count is None:
            count = counts[org, destination] = Count(org=org, destination=destination, tiers={}, dead={})
        if kind == "tier":
            count.tiers[detail] = events
        elif kind == "dead":
            count.dead[detail] = events  # type: ignore[index]  # fates of dead letters carry a DeadReason
        else:
            count.delivered = events
    return list(counts.values())
