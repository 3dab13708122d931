"""One post and its answer, for a person to read."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from headrace.model.outcome import AllDelivered, Answer, Delivered, Each, Refused, Rejected, TooLarge

Came = Literal["delivered", "rejected", "retryable"]
"""What a post of one event came to."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What went over the wire in so many *ms*, as far as it is known; a sink without a wire tells only the outcome.

    *target* names the server and no more, secrets in *headers* are `***`, *body* and *answer* are cut.
    """

    outcome: Came
    reason: str = ""
    ms: float
    target: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: str = ""
    status: int | None = None
    answer_headers: Sequence[tuple[str, str]] = ()
    answer: str = ""


def came_of(answer: Answer) -> tuple[Came, str]:
    """Say what *answer* means for a post of one event, and why."""
    match answer:
        case AllDelivered() | Each((Delivered(),)):
            return "delivered", ""
        case Each((Rejected(reason),)) | TooLarge(reason) | Refused(reason):
            return "rejected", reason
        case Each((outcome, *_)):
            return "retryable", getattr(outcome, "reason", "")
        case Each():
            return "retryable", "the sink gave no outcome"
        case _:
            return "retryable", answer.reason
