"""The metric catalogue: every number that Headrace counts, once, with its unit and meaning.

To add a metric, add a line here and count it where it happens; the log, `headrace deliver --json` and the reference
follow from the catalogue.
"""

from typing import Literal, get_args

import msgspec

Counter = Literal[
    "records_polled",  # records that the worker read, of the main topic and of tiers
    "events_delivered",  # obligations that a destination took: one per event and destination
    "events_retried",  # moves to a tier, after a post or without one
    "events_dead",  # obligations that became dead letters
    "posts",  # batches that were posted
    "posts_failed",  # posts of which nothing was taken
]
Peak = Literal[
    "lateness_seconds",  # how long after its due time a tier's event was read, at most
    "sessions_held",  # sessions (or lanes held whole) whose new events queue behind one on a tier, at most
    "held_bytes",  # what the worker held in lanes, in flight and unacknowledged, at most
]
COUNTERS: tuple[Counter, ...] = get_args(Counter)
PEAKS: tuple[Peak, ...] = get_args(Peak)


class Reading(msgspec.Struct, frozen=True):
    """What was counted: sums since the start, and the highest values since the last reading."""

    counters: dict[Counter, int]
    peaks: dict[Peak, float]


class Metrics:
    """The numbers of one worker. Counters have one writing thread each, so that none needs a lock."""

    def __init__(self) -> None:
        self._counters: dict[Counter, int] = dict.fromkeys(COUNTERS, 0)
        self._peaks: dict[Peak, float] = dict.fromkeys(PEAKS, 0.0)

    def count(self, counter: Counter, by: int = 1) -> None:
        self._counters[counter] += by

    def peak(self, peak: Peak, value: float) -> None:
        self._peaks[peak] = max(self._peaks[peak], value)

    def read(self) -> Reading:
        """Return a copy, and begin the peaks anew."""
        reading = Reading(dict(self._counters), {peak: round(value, 3) for peak, value in self._peaks.items()})
        self._peaks = dict.fromkeys(PEAKS, 0.0)
        return reading
