"""A session drawn: bars in rows on one axis, so that what lasted, what waited and what failed is seen at once."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from headrace.console.telling.axis import WIDTH, Axis, Gap
from headrace.console.telling.spans import GROUPS, Group, Span

LANES: Mapping[Group, int] = {"said": 1, "turn": 1, "dialog": 3, "action": 4, "step": 1}
"""Rows of each group, at most: what has no room in them joins a bar that is there."""

LEAST = 4.0
"""Units of the shortest bar."""

ROW = 20
"""Units from one row to the next."""

APART = 90.0
"""Units between two times that are written on the axis."""


class Bar(msgspec.Struct, kw_only=True):
    """One bar: the first of the things that it stands for gives it its name and label; *count* says how many."""

    name: str
    label: str
    x: float
    width: float
    seconds: float
    failed: bool = False
    count: int = 1

    @property
    def end(self) -> float:
        return self.x + self.width


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One row. Its bars stand one after the other, and never on each other."""

    group: Group
    y: int
    bars: list[Bar]


class Tick(msgspec.Struct, frozen=True):
    """A time on the axis, in seconds since the first."""

    x: float
    seconds: float


class Mark(msgspec.Struct, frozen=True):
    """Where one step is on the axis."""

    x: float
    width: float
    seconds: float


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """The drawing, *width* by *height* units, and by a step's name its place on the axis."""

    width: float
    height: int
    began: float
    lanes: list[Lane]
    gaps: Sequence[Gap]
    ticks: list[Tick]
    marks: dict[str, Mark]


def draw(spans: Sequence[Span]) -> Timeline:
    """Draw *spans*. A dialog that waits for a person keeps nothing busy."""
    axis = Axis((span.start, span.end if span.group != "dialog" else span.start) for span in spans)
    began = min((span.start for span in spans), default=0.0)
    lanes: list[Lane] = []
    for group in GROUPS:
        bars = [_bar(span, axis) for span in sorted(spans, key=_start) if span.group == group]
        rows = lay(bars, LANES[group])
        lanes += [Lane(group=group, y=(len(lanes) + number) * ROW, bars=row) for number, row in enumerate(rows)]
    return Timeline(
        width=WIDTH,
        height=ROW * len(lanes),
        began=began,
        lanes=lanes,
        gaps=axis.gaps,
        ticks=_ticks(axis, began),
        marks={span.name: _mark(span, axis) for span in spans},
    )


def lay(bars: Iterable[Bar], most: int) -> list[list[Bar]]:
    """Lay *bars*, in the order of their begin, into rows, at most *most*, so that none lies on another.

    One that has no room joins the bar that ends first.
    """
    rows: list[list[Bar]] = []
    for bar in bars:
        row = next((row for row in rows if row[-1].end <= bar.x), None)
        if row is not None:
            row.append(bar)
        elif len(rows) < most:
            rows.append([bar])
        else:
            _join(min((row[-1] for row in rows), key=lambda last: last.end), bar)
    return rows


def _join(whole: Bar, bar: Bar) -> None:
    if bar.failed and not whole.failed:
        whole.name, whole.label, whole.failed = bar.name, bar.label, True
    whole.width = max(whole.end, bar.end) - whole.x
    whole.seconds = max(whole.seconds, bar.seconds)
    whole.count += bar.count


def _bar(span: Span, axis: Axis) -> Bar:
    mark = _mark(span, axis)
    return Bar(name=span.name, label=span.label, x=mark.x, width=mark.width, seconds=mark.seconds, failed=span.failed)


def _mark(span: Span, axis: Axis) -> Mark:
    x, end = axis.x(span.start), axis.x(span.end)
    width = max(LEAST, end - x)
    return Mark(round(min(x, WIDTH - width), 2), round(width, 2), span.end - span.start)


def _start(span: Span) -> float:
    return span.start


def _ticks(axis: Axis, began: float) -> list[Tick]:
    ticks: list[Tick] = []
    for x, at in axis.begins:
        if not ticks or x - ticks[-1].x >= APART:
            ticks.append(Tick(round(x, 2), at - began))
    return ticks
