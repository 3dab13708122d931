"""How many events came in minute by minute, by how the events topic grew: workers may stand still meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from headrace.eventlog.counting import Counter, Counters
from headrace.eventlog.graphs import COUNTED, EMITTED, Counted

BACK = 6 * 3600
"""Seconds that are caught up with by the times of records; what came in before is not known minute by minute."""

MINUTE, HOUR = 60, 3600


class River(Protocol):
    """What is read of the events topic; the broker's reader does it."""

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]: ...

    def offsets_at(self, topic: str, at: float) -> Mapping[int, int]: ...


class Places(Protocol):
    """Tells how far was counted; the event log does it."""

    def read_to(self, topic: str) -> Mapping[int, int]: ...


def emitted(store: Places, river: River, topic: str, now: float) -> Counted:
    """Return what moves *store* to *now*: the growth of *topic* since it was looked at last, and both places.

    A topic that has fewer records than before was made anew, and all that it holds is new.
    """

    def total_at(at: int) -> int:
        return sum(river.offsets_at(topic, at).values())

    was, had = store.read_to(COUNTED.topic).get(0, 0), store.read_to(EMITTED.topic).get(0, 0)
    until, total = max(int(now), was), sum(end for _, end in river.bounds(topic).values())
    since, before = was, had if had <= total else 0
    if was < until - BACK:
        # Whole hours, so that no hour is known in part only and passes for a quiet one.
        since = (until - BACK) // HOUR * HOUR
        before = min(total_at(since), total)
    moved = [(COUNTED, was, until), (EMITTED, had, total)]
    return Counted(moved=moved, counters=spread(since, before, until, total, total_at))


def spread(since: int, before: int, until: int, total: int, total_at: Callable[[int], int]) -> Sequence[Counter]:
    """Spread what came from *before* up to *total* over the minutes from *since* up to *until*.

    *total_at* tells how many there were at the begin of a minute. It is asked only where something came in.
    """
    begins = range(since // MINUTE * MINUTE + MINUTE, until + 1, MINUTE)
    totals = [before, *(total for _ in begins), total]

    def fill(low: int, high: int) -> None:
        """Find out the totals between two that are known, which differ."""
        if high - low < 2 or totals[low] == totals[high]:
            totals[low + 1 : high] = [totals[low]] * (high - low - 1)
            return
        middle = (low + high) // 2
        totals[middle] = min(max(total_at(begins[middle - 1]), totals[low]), totals[high])
        fill(low, middle)
        fill(middle, high)

    fill(0, len(totals) - 1)
    counters = Counters()
    for minute, (low, high) in zip([since, *begins], pairwise(totals), strict=True):
        counters.add_emitted(minute, high - low)
    return counters.all()
