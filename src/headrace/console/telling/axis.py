"""A time axis on which nothing takes no room: times in which nothing happens are cut short, each by a gap."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

import msgspec

WIDTH = 1000.0
"""Units from the first moment to the last."""

GAP = 28.0
"""Units of a gap, however long it was; less where there are many."""

PAD = 6.0
"""Units that a moment has at least between two gaps."""

IDLE = 0.1
"""Seconds in which nothing happens that are never a gap; nor is a tenth of the time in which something did."""


class Gap(msgspec.Struct, frozen=True):
    """A cut: where it is on the axis, and how many seconds it stands for."""

    x: float
    width: float
    seconds: float


class Axis:
    """Tells where a moment is. *busy* are the times in which something went on, as pairs of begin and end."""

    def __init__(self, busy: Iterable[tuple[float, float]]) -> None:
        pieces = _merged(busy)
        self._starts = [start for start, _ in pieces]
        self._pieces = pieces
        lengths = [end - start for start, end in pieces]
        gap = min(GAP, 0.4 * WIDTH / len(pieces)) if pieces else 0.0
        pad = min(PAD, 0.2 * WIDTH / len(pieces)) if pieces else 0.0
        left = WIDTH - gap * (len(pieces) - 1) - pad * len(pieces)
        # Where nothing lasts, what is left is spread evenly.
        self._scale = left / sum(lengths) if sum(lengths) else 0.0
        even = 0.0 if self._scale else left / max(1, len(pieces))
        widths = [pad + even + length * self._scale for length in lengths]
        self._places = [0.0, *accumulate(width + gap for width in widths)][: len(pieces)]
        self._widths = widths
        self.gaps: Sequence[Gap] = [
            Gap(x + width, gap, after[0] - before[1])
            for x, width, (before, after) in zip(self._places, widths, pairwise(pieces), strict=False)
        ]

    @property
    def begins(self) -> list[tuple[float, float]]:
        """Where each piece between two gaps begins, and when."""
        return list(zip(self._places, self._starts, strict=True))

    def x(self, at: float) -> float:
        """Return where *at* is, a moment within a gap at its edge."""
        number = bisect_right(self._starts, at) - 1
        if number < 0:
            return 0.0
        start, end = self._pieces[number]
        if self._scale:
            return min(self._places[number] + (min(at, end) - start) * self._scale, WIDTH)
        return self._places[number]


def _merged(busy: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the times that stand apart: those with less than a gap between them are one."""
    joined = _joined(sorted(busy), 0.0)
    return _joined(joined, max(IDLE, 0.1 * sum(end - start for start, end in joined)))


def _joined(busy: Sequence[tuple[float, float]], apart: float) -> list[tuple[float, float]]:
    pieces: list[tuple[float, float]] = []
    for start, end in busy:
        if pieces and start - pieces[-1][1] <= apart:
            pieces[-1] = (pieces[-1][0], max(pieces[-1][1], end))
        else:
            pieces.append((start, max(start, end)))
    return pieces
