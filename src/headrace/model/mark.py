"""What a retry or dead record says of its event, beside the untouched key and value (design, section 3.2)."""

from typing import Literal, get_args

import msgspec

from headrace.model.record import Origin

DeadReason = Literal[
    "not_cloudevent",
    "bad_org",
    "org_mismatch",
    "no_route",
    "no_destination",
    "too_large",
    "rejected",
    "gave_up",
]
DEAD_REASONS: tuple[DeadReason, ...] = get_args(DeadReason)

NOBODY = "-"
"""The org and the destination of what has none."""

ERROR_BYTES = 512
"""An error's text is cut here, so that headers never grow."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One event's way so far. Times are seconds since the epoch.

    `attempts` counts posts; a hop without a post leaves it as it is. `due_at` is when a tier's record may be
    posted; on a dead letter it is when it died.
    """

    destination: str
    origin: Origin
    attempts: int
    first_failed_at: float
    due_at: float
    reason: str
    error: str = ""
    redriven: bool = False
