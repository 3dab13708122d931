"""How a simulated org misbehaves, and when. The values travel as JSON, so that a test can drive another process."""

from typing import Literal
from zlib import crc32

import msgspec


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """What a simulated org reads of an event."""

    id: str
    source: str
    type: str
    subject: str = ""
    time: str = ""
    seq: int = -1


class Match(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which events are meant: those for which everything given here is so; all when nothing is given.

    *text* stands somewhere in the event's bytes; *one_in* picks about one in so many, always the same ones.
    """

    type: str | None = None
    text: str | None = None
    one_in: int = 1

    def fits(self, event: Arrival, raw: bytes) -> bool:
        """Say whether *event*, which came as *raw*, is meant."""
        return (
            (self.type is None or event.type == self.type)
            and (self.text is None or self.text.encode() in raw)
            and crc32(event.id.encode()) % self.one_in == 0
        )


class Status(msgspec.Struct, frozen=True, kw_only=True, tag="status"):
    """Answer every post with this, and take its events only when *applied*."""

    status: int = 503
    body: str = ""
    content_type: str = "text/plain"
    retry_after: str | None = None
    location: str | None = None
    applied: bool = False


class Hang(msgspec.Struct, frozen=True, kw_only=True, tag="hang"):
    """Accept the post and never answer."""

    applied: bool = False


class Slow(msgspec.Struct, frozen=True, kw_only=True, tag="slow"):
    """Take the events at once, and answer after so many seconds."""

    seconds: float


class Cut(msgspec.Struct, frozen=True, kw_only=True, tag="cut"):
    """Close the connection: before the body is read, after it was read and taken, or in the middle of the answer."""

    at: Literal["request", "applied", "answer"] = "applied"


class HalfJson(msgspec.Struct, frozen=True, tag="half_json"):
    """Take the events, and answer 200 with half a document: HTTP is content, JSON is not."""


class Refuses(msgspec.Struct, frozen=True, kw_only=True, tag="refuses"):
    """Answer a post that holds a matching event with *status* and no word about which, and take none of it."""

    match: Match
    status: int = 400


class TooLargeAbove(msgspec.Struct, frozen=True, kw_only=True, tag="too_large"):
    """Answer 413 to a post of more events, or more bytes, and take none of it."""

    events: int = 1 << 60
    bytes: int = 1 << 60


class Results(msgspec.Struct, frozen=True, kw_only=True, tag="results"):
    """Answer per event: the first of these that matches decides, what none matches is taken."""

    rejected: Match | None = None
    retryable: Match | None = None
    unnamed: Match | None = None
    status: int = 200


Fault = Status | Hang | Slow | Cut | HalfJson | Refuses | TooLargeAbove | Results


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A fault from *start* up to, not including, *stop*, in seconds since the plan was set; None is for ever."""

    fault: Fault
    start: float = 0.0
    stop: float | None = None


class FaultPlan(msgspec.Struct, frozen=True):
    """What an org does wrong over time; between the phases it does nothing wrong."""

    phases: tuple[Phase, ...] = ()

    def at(self, seconds: float) -> Fault | None:
        """Return the fault of the first phase that covers *seconds*."""
        for phase in self.phases:
            if phase.start <= seconds and (phase.stop is None or seconds < phase.stop):
                return phase.fault
        return None


def always(fault: Fault) -> FaultPlan:
    """Return the plan of an org that has *fault* until it gets another plan."""
    return FaultPlan((Phase(fault=fault),))
