"""The gauge of the demo's river: how much waits on each retry tier, how far the worker is behind, and the books.

It shows what the console's watchman saw, so that the demo's page and every other page tell the same.
"""

from collections.abc import Sequence

import msgspec

from headrace.console.watching.river import River
from headrace.console.watching.watch import Watch
from headrace.core.report import Report


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """One retry tier: its name, its delay in seconds, how many events wait on it, and how many more than before."""

    name: str
    delay: float
    waiting: int
    change: int = 0


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The river at one moment. *lag* counts records of the main topic that are not settled yet.

    *full* is what the highest column of a picture of the tiers holds. The books are a little older than the tiers.
    """

    at: float
    lag: int
    tiers: Sequence[Tier]
    full: int
    books: Report | None = None


def read_levels(river: River) -> Reading:
    """Read the tiers and the lag off the *river*."""
    tiers = [Tier(name=tier.tier or tier.name, delay=tier.delay or 0.0, waiting=tier.lag or 0) for tier in river.tiers]
    return Reading(at=river.at, lag=river.events.lag or 0, tiers=tiers, full=scale([tier.waiting for tier in tiers]))


def since(before: Reading | None, now: Reading) -> Reading:
    """Return *now* with what changed on each tier since *before*; a column that drains keeps its scale for long."""
    if before is None:
        return now
    levels = {tier.name: tier.waiting for tier in before.tiers}
    tiers = [
        msgspec.structs.replace(tier, change=tier.waiting - levels.get(tier.name, tier.waiting)) for tier in now.tiers
    ]
    is_high = any(tier.waiting > before.full / 10 for tier in tiers)
    return msgspec.structs.replace(now, tiers=tiers, full=max(now.full, before.full if is_high else 0))


def scale(levels: Sequence[int], least: int = 50) -> int:
    """Return the smallest of 50, 100, 200, 500, 1,000, … that is no less than any of *levels*."""
    most = max(levels, default=0)
    unit = 1
    while True:
        for step in (1, 2, 5):
            if step * unit >= max(most, least):
                return step * unit
        unit *= 10


class Gauge:
    """Reads *watch*; any thread may ask it."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._latest: Reading | None = None

    def latest(self) -> Reading | None:
        """Return the last reading; None before the first, which takes a moment."""
        watched = self._watch.latest()
        if watched.river is None:
            return None
        latest = self._latest
        if latest is None or latest.at != watched.river.at:
            latest = self._latest = since(latest, read_levels(watched.river))
        return msgspec.structs.replace(latest, books=watched.books.whole if watched.books else None)
