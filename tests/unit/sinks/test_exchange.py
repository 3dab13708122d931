"""What an answer means for a post of one event."""

import pytest

from headrace.model.exchange import Came, came_of
from headrace.model.outcome import (
    AllDelivered,
    Answer,
    Busy,
    Delivered,
    Each,
    Misconfigured,
    Refused,
    Rejected,
    Retryable,
    TooLarge,
)


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (AllDelivered(), ("delivered", "")),
        (Each((Delivered(),)), ("delivered", "")),
        (Each((Rejected("bad"),)), ("rejected", "bad")),
        (Each((Retryable("later"),)), ("retryable", "later")),
        (Each(()), ("retryable", "the sink gave no outcome")),
        (Refused("422"), ("rejected", "422")),
        (TooLarge("413"), ("rejected", "413")),
        (Busy("503"), ("retryable", "503")),
        (Misconfigured("404"), ("retryable", "404")),
    ],
)
def test_an_answer_to_one_event_is_one_of_three(answer: Answer, came: tuple[Came, str]) -> None:
    assert came_of(answer) == came
