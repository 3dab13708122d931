"""How values are written on a page: times, durations, numbers and bytes. Pure."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

_STEPS = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0))
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


def when(at: float | None) -> str:
    """Write a time of day and its date, in UTC."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def clock(at: float) -> str:
    """Write a time of day to the millisecond, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]


def field(at: float | None) -> str:
    """Write a time as a browser's field for one takes it, in UTC; without seconds where there are none."""
    text = "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:23]
    return text.removesuffix(".000").removesuffix(":00")


def iso(at: float | None) -> str:
    """Write a time for a program."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def ago(at: float | None, now: float) -> str:
    """Write how long ago something was, or how long it will be."""
    if at is None:
        return ""
    return f"{duration(now - at)} ago" if at <= now else f"in {duration(at - now)}"


def duration(seconds: float | None) -> str:
    """Write a length of time in its two largest units, or in milliseconds."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    left = float(round(seconds))
    parts: list[str] = []
    for unit, length in _STEPS:
        if left >= length and len(parts) < 2:
            parts.append(f"{left // length:.0f} {unit}")
            left %= length
        elif parts:
            break
    return " ".join(parts)


def number(value: float | None) -> str:
    """Write a number with its thousands set apart; unknown is a dash, which is not zero."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return f"{value:,}" if isinstance(value, int) or value != round(value, 1) else f"{value:,.0f}"


def size(value: float | None) -> str:
    """Write a number of bytes."""
    if value is None:
        return "–"
    for unit in _SIZES[:-1]:
        if value < 1024:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} {_SIZES[-1]}"


def percent(part: float, whole: float) -> str:
    """Write a part of a whole; of nothing there is no part."""
    return f"{part / whole:.1%}" if whole else "–"


def spans(numbers: Sequence[int]) -> str:
    """Write rising *numbers*, those that follow one another as a span: `0–3, 5`."""
    runs: list[list[int]] = []
    for each in numbers:
        if runs and each == runs[-1][-1] + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
