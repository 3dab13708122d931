"""The latest attempts, and how each lane does by them. It does no I/O."""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Literal

import msgspec

from headrace.model.mark import NOBODY
from headrace.wire.attempts import Attempt
from headrace.wire.times import from_text

EVERYBODY = "*"
"""The org of an attempt at a destination that all orgs share."""

MOST = 10_000
"""Attempts that are remembered: about 10 MB."""

MOST_LANES = 50_000
"""Lanes of which the last attempt is remembered; beyond it the one that was silent longest is forgotten."""

Way = Literal["delivering", "failing", "refusing"]


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One org at one destination (org `-` where all share it), by its attempts that were seen.

    *failing_since* is the first of the failures since the last success, *failures* how many there were in a row, and
    *ms* a running mean of how long a post takes.
    """

    org: str
    destination: str
    at: float
    ms: float
    delivered_at: float | None = None
    failing_since: float | None = None
    failures: int = 0
    error: str = ""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt as a page shows it. *at* is in seconds since the epoch."""

    at: float
    org: str
    destination: str
    ms: float
    events: int
    bytes: int
    delivered: int
    retryable: int
    rejected: int
    error: str
    topic: str
    partition: int | None
    first: int | None
    last: int | None


class Recent:
    """Remembers attempts. One thread adds, any thread reads."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._attempts: deque[Tried] = deque(maxlen=MOST)
        self._lanes: dict[tuple[str, str], Lane] = {}

    def add(self, attempt: Attempt) -> None:
        """Remember *attempt*; one without a time that can be read is left out."""
        try:
            at = from_text(attempt.at)
        except ValueError:
            return
        if attempt.org == EVERYBODY:
            attempt = msgspec.structs.replace(attempt, org=NOBODY)
        with self._changing:
            self._attempts.append(_tried(attempt, at))
            key = (attempt.org, attempt.destination)
            self._lanes[key] = _next(self._lanes.pop(key, None), attempt, at)
            if len(self._lanes) > MOST_LANES:
                del self._lanes[next(iter(self._lanes))]

    def latest(
        self,
        destination: str,
        org: str | None,
        *,
        failed: bool = False,
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
    ) -> Sequence[Tried]:
        """Return the latest attempts at *destination*, of one org or all, the last begun first.

        They were begun from *since* up to *until*.
        """
        with self._changing:
            found = [
                each
                for each in self._attempts
                if each.destination == destination
                and (org is None or each.org == org)
                and not (failed and each.delivered == each.events)
                and (since is None or each.at >= since)
                and (until is None or each.at < until)
            ]
        return sorted(found, key=lambda each: each.at, reverse=True)[:limit]

    def lanes(self, destination: str | None = None, org: str | None = None) -> Sequence[Lane]:
        """Return lanes, those that fail longest first."""
        with self._changing:
            found = [
                lane
                for lane in self._lanes.values()
                if (destination is None or lane.destination == destination) and (org is None or lane.org == org)
            ]
        return sorted(found, key=lambda lane: (lane.failing_since or 9e99, lane.org))


def _next(lane: Lane | None, attempt: Attempt, at: float) -> Lane:
    is_failure = attempt.delivered + attempt.rejected == 0
    before = lane or Lane(org=attempt.org, destination=attempt.destination, at=at, ms=attempt.ms)
    told = {"at": max(at, before.at), "ms": round(before.ms + (attempt.ms - before.ms) / 8, 1)}
    if is_failure:
        since = at if before.failing_since is None else before.failing_since
        told |= {"failing_since": since, "failures": before.failures + 1, "error": attempt.error}  # type: ignore[dict-item]
        return msgspec.structs.replace(before, **told)
    return msgspec.structs.replace(before, **told, delivered_at=at, failing_since=None, failures=0, error=attempt.error)


def _tried(attempt: Attempt, at: float) -> Tried:
    span = attempt.spans[0] if attempt.spans else None
    return Tried(
        at=at,
        org=attempt.org,
        destination=attempt.destination,
        ms=attempt.ms,
        events=attempt.events,
        bytes=attempt.bytes,
        delivered=attempt.delivered,
        retryable=attempt.retryable,
        rejected=attempt.rejected,
        error=attempt.error,
        topic=span.topic if span else "",
        partition=span.partition if span else None,
        first=span.first if span else None,
        last=span.last if span else None,
    )
