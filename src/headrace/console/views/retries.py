"""Retries: what waits on the tiers, when it is due, and why it is there."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import Limit, Org, Text, Time
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.watching.history import Sample
from headrace.console.watching.river import Waiting
from headrace.console.watching.seen import Seen, line, seen
from headrace.console.watching.watch import Watched

MINUTES = 60
"""The histogram's length."""

GROUPS = 20
"""Orgs at destinations that are shown."""


class RetriesAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which of what waits."""

    org: Org | None = None
    destination: Annotated[Text | None, Meta(description="Only what is for this destination.")] = None
    tier: Annotated[Text | None, Meta(description="Only what is on this tier, such as `5s`.")] = None
    since: Annotated[Time | None, Meta(description="Only what is due at or after this time.")] = None
    until: Annotated[Time | None, Meta(description="Only what is due before this time.")] = None
    limit: Limit = 50


class TierDepth(msgspec.Struct, frozen=True, kw_only=True):
    """One tier: how many records wait there (None: not known for one org), and how late the oldest one is.

    *late* is in seconds, when it was seen; 0 where none was overdue.
    """

    tier: str
    topic: str
    records: int | None
    read: int
    late: float


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """How many of what was read is due in the minute from *at* on, per tier in the order of the tiers."""

    at: float
    records: Sequence[int]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """How many of what was read are for one org at one destination, and the latest reason there."""

    org: str
    destination: str
    records: int
    attempts: int
    reason: str
    error: str


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """*total* is how many wait, as the books say; *read* how many were looked at, the first due of each partition.

    *is_whole*: those were all. *due* tells of the next hour; what is overdue is in its first minute.
    """

    total: int | None
    read: int
    is_whole: bool
    tiers: Sequence[TierDepth]
    due: Sequence[Due]
    groups: Sequence[Group]
    waiting: Sequence[Waiting]
    depth: Sequence[Sample] = ()
    seen: Seen


def read_retries(ask: RetriesAsk, sources: Sources) -> Retries:
    """Return what waits, as it was seen last."""
    watched, now = sources.watch.latest(), sources.clock.wall()
    river = watched.river
    seen_at = river.at if river else now
    found = [each for each in (river.waiting if river else ()) if _is_meant(each, ask)]
    tiers = _tiers(watched, found, ask)
    books = line(watched, ask.org, ask.destination)
    return Retries(
        total=books.retrying if books else None,
        read=len(found),
        is_whole=river.is_whole if river else False,
        tiers=tiers,
        due=due(found, [each.tier for each in tiers], seen_at),
        groups=groups(found),
        waiting=found[: ask.limit],
        depth=sources.watch.history.between(now - 3600, now, 5.0) if ask.org is None else (),
        seen=seen(watched, ask.org),
    )


def due(waiting: Sequence[Waiting], tiers: Sequence[str], now: float) -> Sequence[Due]:
    """Count *waiting* by the minute in which it is due."""
    first = int(now // 60) * 60
    counted = Counter((min(max(int((each.due_at - first) // 60), 0), MINUTES), each.tier) for each in waiting)
    return [Due(at=first + 60 * minute, records=[counted[minute, tier] for tier in tiers]) for minute in range(MINUTES)]


def groups(waiting: Sequence[Waiting]) -> Sequence[Group]:
    """Count *waiting* by org and destination, the most first."""
    found: dict[tuple[str, str], list[Waiting]] = {}
    for each in waiting:
        found.setdefault((each.org, each.destination), []).append(each)
    told = [_group(org, destination, each) for (org, destination), each in found.items()]
    return sorted(told, key=lambda each: (-each.records, each.org, each.destination))[:GROUPS]


def _group(org: str, destination: str, waiting: Sequence[Waiting]) -> Group:
    latest = max(waiting, key=lambda each: each.due_at)
    return Group(
        org=org,
        destination=destination,
        records=len(waiting),
        attempts=max(each.attempts for each in waiting),
        reason=latest.reason,
        error=next((each.error for each in reversed(waiting) if each.error not in {"", each.reason}), ""),
    )


def _tiers(watched: Watched, found: Sequence[Waiting], ask: RetriesAsk) -> Sequence[TierDepth]:
    if watched.river is None:
        return ()
    is_all = (ask.org, ask.destination, ask.since, ask.until) == (None, None, None, None)
    told = []
    for topic in watched.river.tiers:
        tier = topic.tier or topic.name
        read = [each for each in found if each.tier == tier]
        records = topic.lag if is_all else len(read) if watched.river.is_whole else None
        late = max((watched.river.at - each.due_at for each in read), default=0.0)
        if ask.tier in {None, tier}:
            told.append(TierDepth(tier=tier, topic=topic.name, records=records, read=len(read), late=max(0.0, late)))
    return told


def _is_meant(waiting: Waiting, ask: RetriesAsk) -> bool:
    return (
        (ask.org is None or waiting.org == ask.org)
        and (ask.destination is None or waiting.destination == ask.destination)
        and (ask.tier is None or waiting.tier == ask.tier)
        and (ask.since is None or waiting.due_at >= ask.since)
        and (ask.until is None or waiting.due_at < ask.until)
    )


RETRIES = View(
    name="retries",
    path="/retries",
    title="Retries",
    ask=RetriesAsk,
    answer=Retries,
    read=read_retries,
    group="River",
    needs="memory",
    help="What waits on the retry tiers: how much, when it is due, and what was answered the last time.",
)
