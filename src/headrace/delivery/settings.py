"""The settings of a worker."""

from typing import Annotated, Literal

import msgspec

from headrace.model.units import Duration, Size

Ordering = Literal["any", "session", "org"]


class DeliverySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker batches, posts and holds. Limits are per worker."""

    ordering: Annotated[
        Ordering,
        msgspec.Meta(description="In which order a destination sees events: any, per session, or per org."),
    ] = "any"
    batch_events: Annotated[int, msgspec.Meta(ge=1, description="A batch is sealed at so many events.")] = 500
    batch_bytes: Annotated[Size, msgspec.Meta(description="A batch is sealed at so many bytes.")] = Size(1 << 20)
    batch_linger: Annotated[
        Duration,
        msgspec.Meta(description="A batch is sealed when an executor is free and its oldest event waited this long."),
    ] = Duration(0.02)
    posts_in_flight: Annotated[int, msgspec.Meta(ge=1, description="The executors of one worker.")] = 64
    posts_in_flight_per_destination: Annotated[
        int, msgspec.Meta(ge=1, description="How many posts of one org at one destination may be under way.")
    ] = 4
    timeout: Annotated[Duration, msgspec.Meta(description="How long one post may take.")] = Duration(10)
    lane_events: Annotated[int, msgspec.Meta(ge=1, description="How many events one lane may hold.")] = 5000
    overflow_after: Annotated[
        Duration, msgspec.Meta(description="How long a full lane may hold the poll back before its events hop.")
    ] = Duration(1)
    memory: Annotated[Size, msgspec.Meta(description="What one worker may hold in lanes.")] = Size(256 << 20)
    drain: Annotated[
        Duration, msgspec.Meta(description="How long a worker that is told to stop may finish what it holds.")
    ] = Duration(20)
