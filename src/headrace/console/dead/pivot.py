"""Dead letters counted by error, org or destination, and by time. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from headrace.console.dead.letters import Letter

By = Literal["error", "org", "destination"]

COLUMNS = 12
"""Spans of time at most."""

ROWS = 50
"""Rows at most; the rest is summed up."""

_WIDTHS = (60, 300, 900, 3_600, 3 * 3_600, 6 * 3_600, 86_400, 2 * 86_400, 7 * 86_400, 30 * 86_400)


class PivotRow(msgspec.Struct, frozen=True, kw_only=True):
    """Letters that are alike: *counts* by span of time. *orgs* is how many they belong to, *last* when one died last.

    Of reason, kind, org and destination those are given by which the rows differ.
    """

    counts: Sequence[int]
    total: int
    orgs: int
    last: float
    reason: str | None = None
    kind: str | None = None
    org: str | None = None
    destination: str | None = None


class Pivot(msgspec.Struct, frozen=True, kw_only=True):
    """All of them. The spans begin at *since* and are *width* seconds long; *rest* letters are in rows not shown.

    *reasons* are the sums by span and reason that a graph draws.
    """

    by: By
    total: int
    since: Sequence[float]
    width: float
    rows: Sequence[PivotRow]
    reasons: dict[str, Sequence[int]]
    rest: int = 0


_KEYS: dict[By, Callable[[Letter], tuple[str, ...]]] = {
    "error": lambda letter: (letter.reason, letter.kind),
    "org": lambda letter: (letter.org,),
    "destination": lambda letter: (letter.destination,),
}
_NAMES: dict[By, tuple[str, ...]] = {"error": ("reason", "kind"), "org": ("org",), "destination": ("destination",)}


def pivot(letters: Sequence[Letter], by: By, now: float) -> Pivot:
    """Count *letters*, which come the oldest first; the row with the most letters stands first."""
    first, width = _spans(letters, now)
    count = COLUMNS if letters else 0
    groups: dict[tuple[str, ...], list[Letter]] = {}
    key = _KEYS[by]
    for letter in letters:
        groups.setdefault(key(letter), []).append(letter)
    ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [
        PivotRow(
            **dict(zip(_NAMES[by], name, strict=True)),
            counts=_counts(group, first, width, count),
            total=len(group),
            orgs=len({letter.org for letter in group}),
            last=group[-1].died,
        )
        for name, group in ranked[:ROWS]
    ]
    by_reason: dict[str, list[Letter]] = {}
    for letter in letters:
        by_reason.setdefault(letter.reason or "unknown", []).append(letter)
    return Pivot(
        by=by,
        total=len(letters),
        since=[first + place * width for place in range(count)],
        width=width,
        rows=rows,
        reasons={name: _counts(group, first, width, count) for name, group in sorted(by_reason.items())},
        rest=sum(len(group) for _, group in ranked[ROWS:]),
    )


def _spans(letters: Sequence[Letter], now: float) -> tuple[float, float]:
    """Return where the first span begins, and the width of all: the narrowest that reaches back to the oldest."""
    if not letters:
        return now, _WIDTHS[0]
    oldest, newest = letters[0].died, max(letters[-1].died, now)
    for width in _WIDTHS:
        last = newest // width * width
        first = last - (COLUMNS - 1) * width
        if first <= oldest:
            return first, width
    return first, width


def _counts(letters: Sequence[Letter], first: float, width: float, spans: int) -> list[int]:
    """Count by span; what died before the first is counted there."""
    found = Counter(max(0, int((letter.died - first) // width)) for letter in letters)
    return [found[place] for place in range(spans)]
