"""What flowed, per minute, from the counters of the event log: what graphs are drawn from."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from headrace.console.sources import Sources
from headrace.eventlog.counting import NOWHERE, Counter
from headrace.eventlog.graphs import COUNTED, CounterQuery, TotalsQuery

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

FRESH = 30.0
"""Seconds ago at most up to which is counted while the keeper keeps up."""


MOST = 100_000
"""Sums that one question for the orgs of a page returns: more than those orgs have destinations."""


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From *since* up to *until*, in steps of so many seconds, all of which have ended. One more is under way.

    Everything is *counted* up to that time, in seconds since the epoch; None: nothing was ever counted. *is_fresh*:
    that is about now.
    """

    since: int
    until: int
    step: int
    counted: float | None = None
    is_fresh: bool = False


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One step from *at* on. Numbers are per minute, None where nobody has counted all of it yet. *emitted* counts an
    event once, when Kafka has it; nobody knows it of one org or destination. `accepted` counts it once per destination,
    when a worker settles it. *ms* is the mean and *slowest_ms* the longest time of a post; *age_ms* and *oldest_ms*
    tell how old the first events of posts were when they were delivered. None where there was none. A step that is not
    *whole* is under way: its numbers are the rates so far.
    """

    at: int
    whole: bool = True
    emitted: float | None = None
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


def period(sources: Sources, span: Span) -> Period:
    """Return what *span* means now, and how far of it is counted."""
    now, counted = sources.clock.wall(), counted_to(sources)
    length, _, step = _SPANS[span]
    until = int(now // step) * step
    is_fresh = counted is not None and now - counted <= FRESH
    return Period(since=until - length, until=until, step=step, counted=counted, is_fresh=is_fresh)


def flow(sources: Sources, org: str | None, destination: str | None, asked: Period) -> Sequence[Point]:
    """Return what flowed for *org* (None: all), at *destination* (None: all of them)."""
    step: Literal[60, 3600] = 3600 if asked.step >= HOUR else 60
    until = asked.until + asked.step
    query = CounterQuery(org=org, destination=destination, since=asked.since, until=until, step=step)
    return points(sources.log.counters(query), asked)


def points(counters: Sequence[Counter], asked: Period) -> Sequence[Point]:
    """Sum *counters* up in steps, and in the one under way.

    A step is known when everything is counted that far; of what is counted beyond, as a keeper does that comes back
    from a long way behind, nobody knows how much is missing.
    """
    steps: dict[int, list[Counter]] = {}
    for each in counters:
        steps.setdefault(each.at - each.at % asked.step, []).append(each)
    counted = float("-inf") if asked.counted is None else asked.counted
    told = []
    for at in range(asked.since, asked.until + asked.step, asked.step):
        found, seconds = steps.get(at, []), counted - at
        if seconds >= asked.step:
            told.append(_point(at, found, asked.step))
        elif seconds >= SOONEST and asked.is_fresh:
            told.append(msgspec.structs.replace(_point(at, found, seconds), whole=False))
        elif at < asked.until:
            told.append(Point(at=at))
    return told


def _point(at: int, counters: Sequence[Counter], seconds: float) -> Point:
    minutes, summed = seconds / 60, sums(counters)
    emitted = [each.emitted for each in counters if each.destination == NOWHERE]
    return Point(
        at=at,
        emitted=_rate(sum(emitted), minutes) if emitted else None,
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


def lately(sources: Sources, org: str | None, seconds: float = HOUR) -> Sequence[Counter] | None:
    """Return counters of about so many seconds, whole hours, of one org or (None) of all in sum, by destination.

    None: nothing of that time has been counted yet.
    """
    since = begin(sources.clock.wall(), seconds)
    if not _is_known(sources, since):
        return None
    return sources.log.counters(CounterQuery(org=org, since=since, until=sources.clock.wall() + 1, step=3600))


def lately_of(sources: Sources, orgs: Collection[str]) -> Mapping[str, Sums] | None:
    """Return the sums of the same hours for each of *orgs*, with one question to the event log."""
    since = begin(sources.clock.wall(), HOUR)
    if not _is_known(sources, since):
        return None
    found: dict[str, list[Counter]] = {org: [] for org in orgs}
    for each in sources.log.totals(TotalsQuery(org=None, orgs=orgs, since=since, limit=MOST)) if orgs else ():
        found[each.org].append(each)
    return {org: sums(each) for org, each in found.items()}


def at_destination(counters: Sequence[Counter] | None, destination: str) -> Sums | None:
    """Sum up those of *counters* that are of *destination*; what is not known stays so."""
    return None if counters is None else sums([each for each in counters if each.destination == destination])


def worst(sources: Sources, limit: int) -> Sequence[Counter]:
    """Return sums of the last hour or two per org and destination, those with most dead letters and retries first."""
    return sources.log.totals(TotalsQuery(org=None, since=sources.clock.wall() - HOUR, limit=limit))


def counted_to(sources: Sources) -> float | None:
    """Return up to when the keepers have counted everything; None before one came to the end of its first step."""
    return sources.log.read_to(COUNTED.topic).get(COUNTED.partition)


def begin(now: float, seconds: float) -> float:
    """Return the begin of the hour in which it was so many *seconds* before *now*."""
    return (now - seconds) // HOUR * HOUR


def _is_known(sources: Sources, since: float) -> bool:
    return (counted_to(sources) or 0.0) > since


def _rate(events: int, minutes: float) -> float:
    return round(events / minutes, 1)
