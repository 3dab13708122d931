"""What the river looked like before, in memory: it begins when the console starts."""

from collections.abc import Mapping, Sequence
from statistics import median

import msgspec

from headrace.console.watching.river import River

FINE = 3600.0
"""Seconds for which every look is remembered."""

COARSE = 7 * 86_400.0
"""Seconds for which one look of each minute is remembered: the one with the greatest lag."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One look: the *lag* of the main topic in records and in *seconds* (None: not known), the depth of each tier.

    *emit_ms* is how long events took from the emit to Kafka, and *emit_slowest_ms* the longest, by a few of those that
    came in since the look before; None where none did.
    """

    at: float
    lag: int
    seconds: float | None
    tiers: Mapping[str, int]
    emit_ms: float | None = None
    emit_slowest_ms: float | None = None


def sample(river: River, delays: Sequence[float]) -> Sample:
    """Return what is remembered of *river*, and of the *delays* from emit to Kafka, in seconds."""
    return Sample(
        at=river.at,
        lag=river.events.lag or 0,
        seconds=river.lag_seconds,
        tiers={topic.tier or topic.name: topic.lag or 0 for topic in river.tiers},
        emit_ms=round(1000 * median(delays), 1) if delays else None,
        emit_slowest_ms=round(1000 * max(delays), 1) if delays else None,
    )


class History:
    """Remembers samples. One thread adds, any thread reads: what a reader holds is never changed, only replaced."""

    def __init__(self) -> None:
        self._fine: Sequence[Sample] = ()
        self._coarse: Sequence[Sample] = ()

    def add(self, sample: Sample) -> None:
        """Remember *sample*, the latest."""
        self._fine = [*(each for each in self._fine if each.at > sample.at - FINE), sample]
        last = self._coarse[-1] if self._coarse else None
        if last is None or last.at // 60 < sample.at // 60:
            self._coarse = [*(each for each in self._coarse if each.at > sample.at - COARSE), sample]
        else:
            self._coarse = [*self._coarse[:-1], _worse(last, sample)]

    def between(self, since: float, until: float, step: float) -> Sequence[Sample]:
        """Return samples from *since* up to *until*: of each *step* seconds the worst that was seen."""
        source = self._fine if until - since <= FINE + 60 else self._coarse
        worst: dict[int, Sample] = {}
        for each in source:
            if since <= each.at < until:
                number = int(each.at // step)
                worst[number] = _worse(worst[number], each) if number in worst else each
        return [worst[number] for number in sorted(worst)]


def _worse(one: Sample, other: Sample) -> Sample:
    """Return the deeper of two looks, with the slower emits of both."""
    deeper = max(other, one, key=lambda each: each.lag + sum(each.tiers.values()))
    slower = max(other, one, key=lambda each: each.emit_slowest_ms or -1.0)
    return msgspec.structs.replace(deeper, emit_ms=slower.emit_ms, emit_slowest_ms=slower.emit_slowest_ms)
