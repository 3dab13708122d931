"""One batch under way: what it holds, whom it is for, and what its end means for its lane."""

from collections.abc import Callable

from headrace.clock import Clock
from headrace.core.age import age_of
from headrace.core.lanes import Lane
from headrace.core.pacing import SLOW_AFTER, Gate
from headrace.core.runs import Run
from headrace.core.schedule import RetrySchedule
from headrace.delivery.outbox import Done, Failed, Outbox
from headrace.delivery.posting import Lines, Posting, Verdict
from headrace.model.outcome import AllDelivered, Answer, Delivered, Each, Misconfigured, Rejected, Retryable
from headrace.model.units import Duration
from headrace.sinks.port import Sink
from headrace.telemetry.metrics import Metrics
from headrace.wire.attempts import Attempt, Span
from headrace.wire.times import to_text


class Flight:
    """A post of one batch, from the moment it is sealed until its runs are reported."""

    def __init__(
        self,
        lane: Lane,
        runs: list[Run],
        started: float,
        sink: Sink,
        outbox: Outbox,
        clock: Clock,
        schedule: RetrySchedule,
        lines: Lines | None,
        metrics: Metrics,
    ) -> None:
        self.lane = lane
        self.runs = runs
        self.started = started
        self.is_probe = lane.pace.probing
        self.is_suspect = lane.pace.is_suspect
        self.attended = 0.0
        """Seconds under way in which the event loop kept up: when it is late itself, no destination is to blame."""
        self.verdict: Verdict | None = None
        """What it came to; None until then, and when it was abandoned."""
        self.delay: Duration | None = None
        """The tier for what was not taken, while its destination is parked."""
        self.judged_at = 0.0
        """When that was, on the calendar."""
        self.posting = Posting(sink, lane.destination, lane.org, lane.pace, clock, self._report, lines)
        self._outbox = outbox
        self._clock = clock
        self._schedule = schedule
        self._metrics = metrics
        for run in runs:
            run.chunk.assignment.in_flight += len(run)

    def hangs(self, now: float) -> bool:
        """Tell whether the destination has had time enough for an answer."""
        return min(now - self.started, self.attended) >= SLOW_AFTER

    async def carry(self, landed: Callable[["Flight"], None]) -> None:
        """Post, report what became of each run, and say that the executor is free."""
        ids = [event for run in self.runs for event in run.ids[run.start : run.stop]]
        values = [value for run in self.runs for value in run.values[run.start : run.stop]]
        orgs = [run.org for run in self.runs for _ in range(len(run))] if self.lane.destination.shared else []
        try:
            verdict = await self.posting.carry(ids, values, orgs)
            self._judge(verdict)
        finally:
            for run in self.runs:
                run.chunk.assignment.in_flight -= len(run)
            landed(self)

    def _judge(self, verdict: Verdict) -> None:
        """Let the lane learn from the verdict, then report each run."""
        pace, now = self.lane.pace, self._clock.monotonic()
        failure = verdict.failure
        if failure is None and verdict.outcomes and all(isinstance(one, Retryable) for one in verdict.outcomes):
            pace.fail(now, probe=self.is_probe)
        elif failure is None:
            pace.succeed(now, min(now - self.started, self.attended))
        else:
            pace.fail(now, probe=self.is_probe)
            if isinstance(failure, Misconfigured):
                pace.park(now)
            if failure.retry_after is not None:
                pace.shut(now, failure.retry_after, self._schedule)
        self.verdict = verdict
        self.delay = pace.hop(now, self._schedule) if pace.gate(now) is not Gate.OPEN else None
        self.judged_at = self._clock.wall()
        self._time_delivery(verdict)
        self._report_runs(verdict)

    def _time_delivery(self, verdict: Verdict) -> None:
        """Note how long the delivered events took from their bot to here, all of them as long as the first one."""
        outcomes = verdict.outcomes
        taken = len(verdict.posts) if outcomes is None else sum(isinstance(one, Delivered) for one in outcomes)
        age = age_of(self.runs[0], self.judged_at) if taken else None
        if age is not None:
            self._metrics.observe("delivery_seconds", age, taken)

    def _report_runs(self, verdict: Verdict) -> None:
        place = 0
        for run in self.runs:
            following = place + len(run)
            if verdict.outcomes is None:
                self._outbox.append(Done(run))
            else:
                outcomes, posts = verdict.outcomes[place:following], verdict.posts[place:following]
                self._outbox.append(Failed(run, outcomes, posts, self.delay, self.judged_at, self.lane.pace.is_paused))
            place = following

    def _report(self, part: range, answer: Answer, took: float) -> None:
        """Write the attempt down for the attempts topic."""
        delivered = rejected = 0
        error = ""
        match answer:
            case AllDelivered():
                delivered = len(part)
            case Each(outcomes):
                delivered = sum(isinstance(one, Delivered) for one in outcomes)
                rejected = sum(isinstance(one, Rejected) for one in outcomes)
                error = next((one.reason for one in outcomes if not isinstance(one, Delivered)), "")
            case _:
                error = answer.reason
        now = self._clock.wall()
        age = age_of(self.runs[0], now) if delivered else None
        self._outbox.append(
            Attempt(
                org=self.lane.org,
                destination=self.lane.destination.name,
                at=to_text(now - took),
                ms=round(took * 1000, 1),
                events=len(part),
                bytes=sum(run.size for run in self.runs),
                delivered=delivered,
                rejected=rejected,
                retryable=len(part) - delivered - rejected,
                age_ms=round((age or 0.0) * 1000, 1),
                error=error[:200],
                spans=self._spans(part),
            )
        )

    def _spans(self, part: range) -> list[Span]:
        """Name the offsets that were in a post, one span per partition."""
        spans: dict[tuple[str, int], list[int]] = {}
        place = 0
        for run in self.runs:
            first = max(part.start - place, 0)
            last = min(part.stop - place, len(run))
            place += len(run)
            if first >= last:
                continue
            low = run.records[run.start + first].offset()
            high = run.records[run.start + last - 1].offset()
            span = spans.setdefault(run.chunk.assignment.partition, [low, high, 0])
            span[0] = min(span[0], low)
            span[1] = max(span[1], high)
            span[2] += last - first
        return [Span(topic, partition, *bounds) for (topic, partition), bounds in spans.items()]
