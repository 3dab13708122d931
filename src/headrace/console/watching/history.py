"""What the river looked like before, in memory: it begins when the console starts."""

from collections.abc import Mapping, Sequence

import msgspec

FINE = 3600.0
"""Seconds for which every look is remembered."""

COARSE = 7 * 86_400.0
"""Seconds for which one look of each minute is remembered: the one with the greatest lag."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One look: the *lag* of the main topic in records and in *seconds* (None: not known), the depth of each tier."""

    at: float
    lag: int
    seconds: float | None
    tiers: Mapping[str, int]


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
        elif _depth(sample) > _depth(last):
            self._coarse = [*self._coarse[:-1], sample]

    def between(self, since: float, until: float, step: float) -> Sequence[Sample]:
        """Return samples from *since* up to *until*, of each *step* seconds the one with the greatest depth."""
        source = self._fine if until - since <= FINE + 60 else self._coarse
        worst: dict[int, Sample] = {}
        for each in source:
            if since <= each.at < until:
                number = int(each.at // step)
                known = worst.get(number)
                if known is None or _depth(each) >= _depth(known):
                    worst[number] = each
        return [worst[number] for number in sorted(worst)]


def _depth(sample: Sample) -> int:
    return sample.lag + sum(sample.tiers.values())
