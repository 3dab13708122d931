"""The settings of retries."""

from itertools import pairwise
from typing import Annotated

import msgspec

from headrace.model.units import Duration


def _default_tiers() -> list[Duration]:
    return [Duration.parse(text) for text in ("5s", "30s", "5m", "1h")]


class RetrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """When a failed event is posted again, and when it is given up (design, section 3.3)."""

    tiers: Annotated[
        list[Duration],
        msgspec.Meta(
            description="The predefined intervals between attempts, ascending; the last one repeats. "
            "Each is a topic of its own."
        ),
    ] = msgspec.field(default_factory=_default_tiers)
    give_up_after: Annotated[
        Duration,
        msgspec.Meta(description="How long after its first failure an event becomes a dead letter, parked or not."),
    ] = Duration.parse("24h")

    def __post_init__(self) -> None:
        """Raise `ValueError` for tiers that name no schedule."""
        if not self.tiers:
            raise ValueError('tiers is empty; write at least one interval, such as ["5s"]')
        for shorter, longer in pairwise(self.tiers):
            if shorter >= longer:
                raise ValueError(f"tiers must ascend, and {longer} does not come after {shorter}; sort them, each once")
        if self.tiers[0] <= 0:
            raise ValueError(f"tiers begins with {self.tiers[0]}; the first interval must be longer than nothing")
