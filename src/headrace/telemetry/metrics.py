"""The numbers of one worker while it works: counted without a lock, read by the log and by Prometheus.

What each means stands in `headrace.telemetry.catalogue`.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from headrace.telemetry.catalogue import BY_NAME

Counter = Literal[
    "records_polled", "events_delivered", "events_retried", "events_dead", "posts", "posts_failed", "commits"
]
Histogram = Literal["post_seconds", "batch_events", "delivery_seconds", "lateness_seconds"]
Gauge = Literal["held_bytes", "sessions_held"]
COUNTERS: tuple[Counter, ...] = get_args(Counter)
HISTOGRAMS: tuple[Histogram, ...] = get_args(Histogram)
GAUGES: tuple[Gauge, ...] = get_args(Gauge)


class Reading(msgspec.Struct, frozen=True):
    """What was counted: sums since the start, and the highest values since the last reading."""

    counters: dict[Counter, int]
    peaks: dict[Gauge | Histogram, float]


class Distribution(msgspec.Struct, frozen=True):
    """What was observed: how often up to each bound and, last, beyond all of them; and the sum of it."""

    bounds: Sequence[float]
    counts: Sequence[int]
    total: float


class Metrics:
    """The numbers of one worker. Each name has one writing thread, so that none needs a lock.

    *by_destination* counts, where a destination is told, for each of them too.
    """

    def __init__(self, *, by_destination: bool = False) -> None:
        self._counters: dict[Counter, int] = dict.fromkeys(COUNTERS, 0)
        self._split: dict[tuple[Counter, str], int] | None = None
        if by_destination:
            self._split = {(name, ""): 0 for name in COUNTERS if not BY_NAME[name].optional}
        self._histograms = {name: _Tally(BY_NAME[name].bounds) for name in HISTOGRAMS}
        self._gauges: dict[Gauge, float] = dict.fromkeys(GAUGES, 0.0)
        self._peaks: dict[Gauge, float] = dict.fromkeys(GAUGES, 0.0)

    def count(self, counter: Counter, by: int = 1, destination: str = "") -> None:
        """Add to a counter."""
        self._counters[counter] += by
        if self._split is not None:
            self._split[counter, destination] = self._split.get((counter, destination), 0) + by

    def observe(self, histogram: Histogram, value: float, times: int = 1) -> None:
        """Enter *value* into a histogram, for as many as it stands for."""
        self._histograms[histogram].add(value, times)

    def peak(self, gauge: Gauge, value: float) -> None:
        """Set a gauge, of which the log tells the highest value since it last did."""
        self._gauges[gauge] = value
        self._peaks[gauge] = max(self._peaks[gauge], value)

    def read(self) -> Reading:
        """Return a copy, and begin the peaks anew."""
        peaks: dict[Gauge | Histogram, float] = {name: round(value, 3) for name, value in self._peaks.items()}
        peaks |= {name: round(tally.take_highest(), 3) for name, tally in self._histograms.items()}
        self._peaks = dict.fromkeys(GAUGES, 0.0)
        return Reading(dict(self._counters), peaks)

    def counters(self) -> Sequence[tuple[Counter, str, int]]:
        """Return each counter's name, destination and value; the destination is empty where none is told apart."""
        if self._split is None:
            return [(name, "", value) for name, value in self._counters.items()]
        return [(name, destination, value) for (name, destination), value in self._split.copy().items()]

    def distributions(self) -> Sequence[tuple[Histogram, Distribution]]:
        """Return each histogram as it stands."""
        return [(name, tally.read()) for name, tally in self._histograms.items()]

    def gauges(self) -> Sequence[tuple[Gauge, float]]:
        """Return each gauge's last value."""
        return list(self._gauges.items())


class _Tally:
    """One histogram."""

    __slots__ = ("_bounds", "_counts", "_highest", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0
        self._highest = 0.0

    def add(self, value: float, times: int) -> None:
        self._counts[bisect_left(self._bounds, value)] += times
        self._total += value * times
        self._highest = max(self._highest, value)

    def take_highest(self) -> float:
        highest, self._highest = self._highest, 0.0
        return highest

    def read(self) -> Distribution:
        return Distribution(self._bounds, list(self._counts), self._total)
