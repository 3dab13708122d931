"""May this lane be posted to now? Parking, probes and suspicion of one destination (design, section 3.3)."""

from enum import Enum

from headrace.core.schedule import RetrySchedule
from headrace.model.units import Duration

PARK_AFTER = 3
"""Failed posts in a row after which a destination keeps failing."""

REFUSALS_TO_PARK = 1000
"""Single events refused in a row after which the destination is wrong, not the events."""

SLOW_AFTER = 0.5
"""Seconds after which a post is suspected to hang."""


class Gate(Enum):
    """What a lane may do with an event now."""

    OPEN = "open"
    PROBE = "probe"
    SHUT = "shut"


class Pace:
    """How one org's destination has been answering one worker, and whether a person paused it.

    A parked destination gets no posts but probes: one due batch at a time. A failed probe halves the next, so that a
    poisonous event ends alone. `Retry-After` shuts even probes out. A restart forgets all of it.
    """

    __slots__ = (
        "answered_at",
        "failures",
        "is_slow",
        "largest",
        "parked_at",
        "paused_at",
        "probe_events",
        "probing",
        "refusals",
        "shut_until",
    )

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.failures = 0
        self.refusals = 0
        self.parked_at: float | None = None
        self.paused_at: float | None = None
        """Since when a person lets it have no posts."""
        self.shut_until = 0.0
        self.probe_events = largest
        self.probing = False
        self.answered_at: float | None = None
        """When a post was last answered for; None while nothing is known."""
        self.is_slow = False

    @property
    def is_suspect(self) -> bool:
        """Whether the last post was slow or failed: the next ones share the quarter that hanging destinations have."""
        return self.is_slow or self.failures > 0 or self.parked_at is not None

    @property
    def is_proven(self) -> bool:
        """Whether the destination answered its last post: until then it gets one post at a time."""
        return self.answered_at is not None and self.failures == 0

    def gate(self, now: float) -> Gate:
        """Say what may be posted at *now*."""
        if now < self.shut_until or self.paused_at is not None:
            return Gate.SHUT
        if self.parked_at is None:
            return Gate.OPEN
        return Gate.SHUT if self.probing else Gate.PROBE

    def succeed(self, now: float, took: float) -> None:
        """Note a post that the destination answered for, whatever it said of single events."""
        self.failures = 0
        self.parked_at = None
        self.probing = False
        self.probe_events = self.largest
        self.answered_at = now
        self.is_slow = took >= SLOW_AFTER

    def fail(self, now: float, *, probe: bool) -> None:
        """Note a post of which nothing was taken; the third in a row parks."""
        self.failures += 1
        if probe:
            self.probing = False
            self.probe_events = max(1, self.probe_events // 2)
        if self.parked_at is None and self.failures >= PARK_AFTER:
            self.parked_at = now

    def park(self, now: float) -> None:
        """Park at once: the destination is wrong, not the events."""
        if self.parked_at is None:
            self.parked_at = now

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def why(self) -> str:
        """Say why nothing is posted while the gate is not open."""
        return "paused" if self.is_paused else "parked"

    def shut(self, now: float, span: float, schedule: RetrySchedule) -> None:
        """Shut everything out for the *span* seconds that `Retry-After` asked for, cut to a quarter of giving up."""
        self.shut_until = max(self.shut_until, now + min(span, schedule.give_up_after / 4))

    def refuse(self) -> bool:
        """Count a single event that was refused; True when the destination must be wrong instead."""
        self.refusals += 1
        if self.refusals < REFUSALS_TO_PARK:
            return False
        self.refusals = 0
        return True

    def hop(self, now: float, schedule: RetrySchedule) -> Duration:
        """Return the tier for an event that is not posted now because the gate is not open."""
        if self.paused_at is not None:
            return schedule.within(now - self.paused_at)
        if now < self.shut_until:
            return schedule.within(self.shut_until - now)
        return schedule.within(now - self.parked_at if self.parked_at is not None else 0.0)
