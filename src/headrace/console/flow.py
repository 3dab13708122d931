"""What flowed, per minute, from the counters of the event log: what graphs are drawn from."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from headrace.console.sources import Sources
from headrace.eventlog.counting import Counter
from headrace.eventlog.graphs import CounterQuery, TotalsQuery

Span = Literal["1h", "6h", "24h", "7d"]

_SPANS: dict[Span, tuple[int, Literal[60, 3600], int]] = {
    "1h": (3600, 60, 60),
    "6h": (21_600, 60, 300),
    "24h": (86_400, 60, 900),
    "7d": (604_800, 3600, 3600),
}
"""Seconds that are shown, those of a counter, and those of a point."""


HOUR = 3600.0

SOONEST = 5.0
"""Seconds of a step under way from which on its rate means something."""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From *since* up to *until*, in steps of so many seconds, all of which have ended. One more is under way."""

    since: int
    until: int
    step: int


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One step from *at* on. Numbers are per minute, None where nobody has counted yet; `accepted` counts an event once
    per destination. *ms* is the mean and *slowest_ms* the longest time of a post; *age_ms* and *oldest_ms* tell how old
    the first events of posts were when they were delivered. None where there was none. A step that is not *whole* is
    under way: its numbers are the rates so far.
    """

    at: int
    whole: bool = True
    accepted: float | None = None
    delivered: float | None = None
    posted: float | None = None
    retried: float | None = None
    dead: float | None = None
    succeeded: float | None = None
    failed: float | None = None
    ms: float | None = None
    slowest_ms: float | None = None
    age_ms: float | None = None
    oldest_ms: float | None = None


class Sums(msgspec.Struct, kw_only=True):
    """Counters summed up. Milliseconds are as in `Point`."""

    accepted: int = 0
    delivered: int = 0
    posted: int = 0
    posts: int = 0
    failed: int = 0
    refused: int = 0
    retried: int = 0
    dead: int = 0
    redriven: int = 0
    ms: float | None = None
    slowest_ms: float | None = None
    age_ms: float | None = None
    oldest_ms: float | None = None


def period(span: Span, now: float) -> Period:
    """Return what *span* means at *now*."""
    length, _, step = _SPANS[span]
    until = int(now // step) * step
    return Period(since=until - length, until=until, step=step)


def flow(sources: Sources, org: str | None, destination: str | None, span: Span) -> Sequence[Point]:
    """Return what flowed for *org* (None: all), at *destination* (None: all of them)."""
    asked = period(span, sources.clock.wall())
    query = CounterQuery(
        org=org, destination=destination, since=asked.since, until=asked.until + asked.step, step=_SPANS[span][1]
    )
    return points(sources.log.counters(query), asked, counted_to(sources))


def points(counters: Sequence[Counter], asked: Period, counted: float) -> Sequence[Point]:
    """Sum *counters* up in steps, and in the one under way; steps that ended after *counted* are not known yet."""
    steps: dict[int, list[Counter]] = {}
    for each in counters:
        steps.setdefault(each.at - each.at % asked.step, []).append(each)
    told = []
    for at in range(asked.since, asked.until, asked.step):
        is_known = at + asked.step <= counted or at in steps
        told.append(_point(at, sums(steps.get(at, [])), asked.step) if is_known else Point(at=at))
    seconds = min(counted - asked.until, asked.step)
    if seconds >= SOONEST:
        so_far = _point(asked.until, sums(steps.get(asked.until, [])), seconds)
        told.append(msgspec.structs.replace(so_far, whole=False))
    return told


def _point(at: int, summed: Sums, seconds: float) -> Point:
    minutes = seconds / 60
    return Point(
        at=at,
        accepted=_rate(summed.accepted, minutes),
        delivered=_rate(summed.delivered, minutes),
        posted=_rate(summed.posted, minutes),
        retried=_rate(summed.retried, minutes),
        dead=_rate(summed.dead, minutes),
        succeeded=_rate(summed.posts - summed.failed, minutes),
        failed=_rate(summed.failed, minutes),
        ms=summed.ms,
        slowest_ms=summed.slowest_ms,
        age_ms=summed.age_ms,
        oldest_ms=summed.oldest_ms,
    )


def sums(counters: Sequence[Counter]) -> Sums:
    """Sum *counters* up."""
    total = Sums()
    for each in counters:
        for name in ("accepted", "delivered", "posted", "posts", "failed", "refused", "retried", "dead", "redriven"):
            setattr(total, name, getattr(total, name) + getattr(each, name))
    if total.posts:
        total.ms = round(sum(each.ms for each in counters) / total.posts, 1)
        total.slowest_ms = max(each.slowest_ms for each in counters)
    aged = sum(each.aged for each in counters)
    if aged:
        total.age_ms = round(sum(each.age_ms for each in counters) / aged, 1)
        total.oldest_ms = max(each.oldest_ms for each in counters)
    return total


def lately(sources: Sources, org: str | None, seconds: float = HOUR) -> Sequence[Counter]:
    """Return counters of about so many seconds, whole hours, of one org or (None) of all in sum, by destination."""
    now = sources.clock.wall()
    since = (now - seconds) // HOUR * HOUR
    return sources.log.counters(CounterQuery(org=org, since=since, until=now + 1, step=3600))


def worst(sources: Sources, limit: int) -> Sequence[Counter]:
    """Return sums of the last hour or two per org and destination, those with most dead letters and retries first."""
    return sources.log.totals(TotalsQuery(org=None, since=sources.clock.wall() - HOUR, limit=limit))


def counted_to(sources: Sources) -> float:
    """Return up to when the keeper has counted, as far as this console knows."""
    done = [pulse.done_at for pulse in sources.pulses() if pulse.name == "keeper"]
    return next((at for at in done if at is not None), sources.clock.wall())


def _rate(events: int, minutes: float) -> float:
    return round(events / minutes, 1)
