"""Dead letters counted by error, org or destination, and by time. Pure."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from operator import attrgetter
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


_NAMES: dict[By, tuple[str, ...]] = {"error": ("reason", "kind"), "org": ("org",), "destination": ("destination",)}

_died = attrgetter("died")
_org = attrgetter("org")

Name = tuple[str, ...]
"""What tells one row from another, behind the reason."""


def pivot(letters: Sequence[Letter], by: By, now: float) -> Pivot:
    """Count *letters*, which come the oldest first; the row with the most letters stands first."""
    first, width = spans_of(letters, now)
    count = COLUMNS if letters else 0
    names = list(map(attrgetter("reason", *_NAMES[by]), letters))
    rows: dict[Name, list[int]] = defaultdict(lambda: [0] * count)
    reasons: dict[str, list[int]] = defaultdict(lambda: [0] * count)
    for span, (start, stop) in enumerate(_cuts(letters, first, width)):
        for name, found in Counter(islice(names, start, stop)).items():
            rows[name[1:]][span] += found
            reasons[name[0] or "unknown"][span] += found
    ranked = sorted(rows.items(), key=lambda item: (-sum(item[1]), item[0]))
    orgs = _orgs(letters, names)
    last = _last(letters, names, len(rows))
    return Pivot(
        by=by,
        total=len(letters),
        since=[first + place * width for place in range(count)],
        width=width,
        rows=[
            PivotRow(
                **dict(zip(_NAMES[by], name, strict=True)),
                counts=counts,
                total=sum(counts),
                orgs=len(orgs[name]),
                last=last[name],
            )
            for name, counts in ranked[:ROWS]
        ],
        reasons=dict(sorted(reasons.items())),
        rest=sum(sum(counts) for _, counts in ranked[ROWS:]),
    )


def spans_of(letters: Sequence[Letter], now: float) -> tuple[float, float]:
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


def _cuts(letters: Sequence[Letter], first: float, width: float) -> Iterator[tuple[int, int]]:
    """Yield where the letters of each span begin and end; what died before the first span is in that."""
    ends = [bisect_left(letters, first + number * width, key=_died) for number in range(1, COLUMNS)]
    return pairwise((0, *ends, len(letters)))


def _orgs(letters: Sequence[Letter], names: Sequence[Name]) -> dict[Name, set[str]]:
    """Return whose the letters of each row are."""
    by_name: dict[Name, set[str]] = defaultdict(set)
    for name, org in zip(names, map(_org, letters), strict=True):
        by_name[name].add(org)
    found: dict[Name, set[str]] = defaultdict(set)
    for name, orgs in by_name.items():
        found[name[1:]] |= orgs
    return found


def _last(letters: Sequence[Letter], names: Sequence[Name], rows: int) -> dict[Name, float]:
    """Return when the last letter of each row died; few of all have to be looked at for that."""
    found: dict[Name, float] = {}
    for letter, name in zip(reversed(letters), reversed(names), strict=True):
        found.setdefault(name[1:], letter.died)
        if len(found) == rows:
            break
    return found
