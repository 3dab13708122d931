"""Rivers as the console's watch tells of them, in a few words."""

from collections.abc import Sequence

from headrace.console.watching.recent import Lane
from headrace.console.watching.river import Part, River, Topic, Waiting
from headrace.console.watching.watch import Books, Watched
from headrace.core.columns import Account
from headrace.core.report import Report
from headrace.wire.topics import TopicNames

NAMES = TopicNames("")
NOW = 1_764_000_000.0


def part(
    number: int = 0, *, end: int = 100, committed: int | None = 100, oldest: float | None = None, standing: bool = False
) -> Part:
    """One partition; what waits has done so for *oldest* seconds."""
    return Part(
        partition=number,
        start=0,
        end=end,
        committed=committed,
        lag=None if committed is None else end - committed,
        oldest_at=None if oldest is None else NOW - oldest,
        standing_since=NOW - 2 if standing else None,
    )


def river(*parts: Part, tier: Part | None = None, dead: int = 0, at: float = NOW) -> River:
    """A river whose main topic has *parts*, with one tier of 30 s and so many dead letters ever."""
    tier = tier or part(end=0, committed=0)
    topics = [
        _topic(NAMES.events, "events", parts or [part()]),
        _topic("headrace.retry.30s", "retry", [tier], delay=30.0),
        _topic(NAMES.dead, "dead", [part(end=dead, committed=None)]),
    ]
    return River(at=at, topics=topics)


def books(*, at: float = NOW, **columns: object) -> Books:
    """Books that were closed, by default balanced ones."""
    return Books(at=at, seconds=0.1, account=Account(), positions={}, whole=Report(**columns))  # type: ignore[arg-type]


def watched(seen: River | None = None, closed: Books | None = None) -> Watched:
    """What the watch tells last."""
    return Watched(river=seen or river(), books=closed or books())


def lane(org: str, destination: str = "crm", *, failing: float | None = None, tried: float = 5.0) -> Lane:
    """One org's destination that takes nothing for *failing* seconds, and was tried *tried* seconds ago."""
    return Lane(
        org=org,
        destination=destination,
        at=NOW - tried,
        ms=5.0,
        failing_since=None if failing is None else NOW - failing,
        failures=0 if failing is None else 3,
        error="" if failing is None else "the text of an event",
    )


def waiting(org: str, reason: str, destination: str = "crm") -> Waiting:
    """One record on the tier."""
    return Waiting(
        tier="30s", topic="headrace.retry.30s", partition=0, offset=1, org=org, destination=destination, session="s-1",
        attempts=1, reason=reason, error="503", first_failed_at=NOW - 20, due_at=NOW + 9, origin="headrace.events/0/1",
    )  # fmt: skip


def _topic(name: str, kind: str, parts: Sequence[Part], *, delay: float | None = None) -> Topic:
    lags = [each.lag for each in parts if each.lag is not None]
    return Topic(
        name=name,
        kind=kind,  # type: ignore[arg-type]
        tier="30s" if delay else None,
        delay=delay,
        parts=parts,
        records=sum(each.end for each in parts),
        lag=sum(lags) if lags else None,
        oldest_at=min((each.oldest_at for each in parts if each.oldest_at is not None), default=None),
    )
