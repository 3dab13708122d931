"""Fields that many asks share, with their limits."""

from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, get_args

from msgspec import Meta

Org = Annotated[str, Meta(max_length=64, description="An org. An operator may leave it out where it is a filter.")]
Destination = Annotated[str, Meta(max_length=200, description="The name of a destination.")]
Text = Annotated[str, Meta(max_length=500)]
LONGEST = 2_000
"""Characters of the name of a session, a user or an event: with them in its address a request's head is 24 KB, of the
32 KiB that it may have. The event log takes longer names, too.
"""
After = Annotated[str, Meta(max_length=1000, description="The `next` of the page before.")]
Limit = Annotated[int, Meta(ge=1, le=500, description="How many at most.")]
Time = Annotated[float, Meta(ge=0, le=253_402_300_799, description="Seconds since the epoch.")]
"""A form and an address may have a date and a time of day too, as `read_time` takes them."""


def read_time(text: str) -> float:
    """Read seconds since the epoch, or a date and a time of day as a browser's field sends them: in UTC, where nothing
    names another zone. Raise `ValueError` for anything else.
    """
    try:
        seconds = float(text)
    except ValueError:
        at = datetime.fromisoformat(text)
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    if not isfinite(seconds):
        raise ValueError(f"{text!r} is no time")
    return seconds


def is_time(declared: Any) -> bool:
    """Tell whether a field so *declared* holds a `Time`."""
    return declared == Time or any(map(is_time, get_args(declared)))
