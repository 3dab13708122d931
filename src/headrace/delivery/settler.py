"""How an event leaves its chunk: counted as delivered, or moved to a tier or the dead topic and acknowledged there."""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from headrace.clock import Clock
from headrace.core.runs import DELIVERED, Chunk, Fate, Run
from headrace.core.schedule import RetrySchedule
from headrace.delivery.intake import Dead
from headrace.delivery.mailer import Mailer, Parcel
from headrace.delivery.outbox import Done, Ending, Failed, Hop, Move
from headrace.model.mark import NOBODY, DeadReason, Mark
from headrace.model.outcome import Delivered, Outcome, Rejected, Retryable
from headrace.model.record import Origin, Record
from headrace.model.units import Duration
from headrace.telemetry.metrics import Counter, Metrics
from headrace.wire import attempts
from headrace.wire.attempts import Attempt
from headrace.wire.envelope import org_of_key
from headrace.wire.topics import TopicNames

_COUNTED: Mapping[str, Counter] = {"delivered": "events_delivered", "tier": "events_retried", "dead": "events_dead"}


TooLarge = Callable[[str, Mark, Record], None]
"""Called with the org of an event that was to move to a tier, but is larger than that takes, and dies."""


class Settler:
    """Acts on reports, on the owner thread. A chunk's obligation ends only with the brokers' acknowledgement."""

    def __init__(
        self,
        names: TopicNames,
        schedule: RetrySchedule,
        mailer: Mailer,
        clock: Clock,
        metrics: Metrics,
        on_too_large: TooLarge | None = None,
    ) -> None:
        self._names = names
        self._schedule = schedule
        self._mailer = mailer
        self._clock = clock
        self._metrics = metrics
        self._on_too_large = on_too_large
        self._moves: deque[Move] = deque()
        self.weight = 0
        """Bytes of the runs that wait to be moved."""

    def settle(self, report: Ending) -> None:
        """Act on one report, or keep it until there is room; what belongs to a revoked assignment settles nothing."""
        if isinstance(report, Attempt):
            self._metrics.count("posts", 1, report.destination)
            self._metrics.count("posts_failed", report.retryable == report.events, report.destination)
            self._metrics.observe("post_seconds", report.ms / 1000)
            self._metrics.observe("batch_events", report.events)
            self._publish(report)
        elif isinstance(report, Done):
            run = report.run
            if not run.chunk.assignment.is_revoked:
                self._settle(run.chunk, run.org, run.destination.name, DELIVERED, len(run))
        else:
            self._moves.append(report)
            self.weight += report.run.weight
            self.work()

    def work(self) -> None:
        """Move what waits while the mailer takes it: as a run it needs a fraction of the memory of its parcels."""
        while self._moves and not self._mailer.is_congested:
            report = self._moves.popleft()
            self.weight -= report.run.weight
            if report.run.chunk.assignment.is_revoked:
                continue
            match report:
                case Hop(run, _, reason):
                    for index in range(run.start, run.stop):
                        self._retry(report, index, 0, reason)
                case Failed(run, outcomes, posts):
                    for place, outcome in enumerate(outcomes):
                        self._settle_one(report, run.start + place, outcome, posts[place])

    def bury(self, chunk: Chunk, dead: Dead) -> None:
        """Dead-letter a record that can be delivered to nobody."""
        now = self._clock.wall()
        mark = Mark(
            destination=dead.destination,
            origin=dead.mark.origin if dead.mark else _place(dead.record),
            attempts=dead.mark.attempts if dead.mark else 0,
            first_failed_at=dead.mark.first_failed_at if dead.mark else now,
            due_at=now,
            reason=dead.reason,
            error=dead.error,
            redriven=dead.mark.redriven if dead.mark else False,
        )
        self._send(chunk, dead.org, dead.record, mark, None)

    def _settle(self, chunk: Chunk, org: str, destination: str, fate: Fate, events: int = 1) -> None:
        chunk.settle(org, destination, fate, events)
        self._metrics.count(_COUNTED[fate[0]], events, destination)

    def _settle_one(self, failed: Failed, index: int, outcome: Outcome, posts: int) -> None:
        run = failed.run
        match outcome:
            case Delivered():
                self._settle(run.chunk, run.org, run.destination.name, DELIVERED)
            case Rejected(reason):
                mark = self._mark(run, index, posts, self._clock.wall(), "rejected", reason)
                self._send(run.chunk, run.org, run.records[index], mark, None)
            case Retryable(reason):
                self._retry(failed, index, posts, reason)

    def _retry(self, move: Move, index: int, posts: int, error: str) -> None:
        """Put one event on a tier, or give it up when it has had its time."""
        run = move.run
        known = run.marks[index] if run.marks else None
        tier = self._schedule.move(known, posts, move.delay, move.now, paused=move.paused)
        sent_at = self._clock.wall()
        if tier is None:
            mark = self._mark(run, index, posts, sent_at, "gave_up", error)
            self._send(run.chunk, run.org, run.records[index], mark, None)
            return
        reason = "failed" if posts else error
        # A tier's head is the next one due, so the delay counts from when the record is written.
        mark = self._mark(run, index, posts, sent_at + tier, reason, error)
        if move.paused and not posts:
            mark = msgspec.structs.replace(mark, first_failed_at=sent_at)
        self._send(run.chunk, run.org, run.records[index], mark, tier)

    def _mark(self, run: Run, index: int, posts: int, due_at: float, reason: str, error: str) -> Mark:
        known = run.marks[index] if run.marks else None
        return Mark(
            destination=run.destination.name,
            origin=known.origin if known else _place(run.records[index]),
            attempts=(known.attempts if known else 0) + posts,
            first_failed_at=known.first_failed_at if known else self._clock.wall(),
            due_at=due_at,
            reason=reason,
            # A hop has nothing new to say: what the destination last answered is what a person wants to know.
            error=error if posts or known is None else known.error or error,
            redriven=known.redriven if known else False,
        )

    def _send(self, chunk: Chunk, org: str, record: Record, mark: Mark, tier: Duration | None) -> None:
        """Write one record to its tier, or without one to the dead topic, and settle it when that is acknowledged."""
        fate: Fate = ("tier", str(tier)) if tier is not None else ("dead", mark.reason)
        topic = self._names.retry(tier) if tier is not None else self._names.dead

        def too_large() -> None:
            if tier is not None:
                if self._on_too_large is not None:
                    self._on_too_large(org, mark, record)
                self._send(chunk, org, record, _died(mark, "too_large", self._clock.wall()), None)
                return
            # What even the dead topic does not take goes there without its value, which its origin still names.
            # Whose it is can then be read from its key alone.
            whose = org_of_key(record.key()) or NOBODY
            acknowledged = partial(self._acknowledge, chunk, whose, mark.destination, fate)
            self._mailer.send(_parcel(topic, record, None, mark, acknowledged, None))

        acknowledged = partial(self._acknowledge, chunk, org, mark.destination, fate)
        self._mailer.send(_parcel(topic, record, record.value(), mark, acknowledged, too_large))

    def _acknowledge(self, chunk: Chunk, org: str, destination: str, fate: Fate) -> None:
        if not chunk.assignment.is_revoked:
            self._settle(chunk, org, destination, fate)

    def _publish(self, attempt: Attempt) -> None:
        """Write an attempt down. The books do not rest on attempts, so nothing waits for its acknowledgement."""
        place = attempt.spans[0] if attempt.spans else None
        key = attempts.key(place.topic, place.partition) if place else None
        self._mailer.send(Parcel(topic=self._names.attempts, key=key, value=attempts.encode(attempt)))


def _parcel(
    topic: str,
    record: Record,
    value: bytes | None,
    mark: Mark,
    acknowledged: Callable[[], None],
    too_large: Callable[[], None] | None,
) -> Parcel:
    return Parcel(
        topic=topic,
        key=record.key(),
        value=value,
        mark=mark,
        partition=record.partition(),
        acknowledged=acknowledged,
        too_large=too_large,
    )


def _place(record: Record) -> Origin:
    return Origin(record.topic(), record.partition(), record.offset())


def _died(mark: Mark, reason: DeadReason, now: float) -> Mark:
    return Mark(
        destination=mark.destination,
        origin=mark.origin,
        attempts=mark.attempts,
        first_failed_at=mark.first_failed_at,
        due_at=now,
        reason=reason,
        error="the record is larger than a retry topic takes",
        redriven=mark.redriven,
    )
