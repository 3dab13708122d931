"""Fields that many asks share, with their limits."""

from typing import Annotated

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
