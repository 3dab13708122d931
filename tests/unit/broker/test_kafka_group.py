"""Who is in a group is asked by a process that may end at any moment."""

import sys

import pytest

from headrace.broker.kafka_group import Question, ask
from headrace.errors import BrokerUnavailable


def test_process_that_ends_is_a_broker_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """librdkafka aborts it when a broker goes away at the wrong moment."""
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(BrokerUnavailable, match="who is in the group workers"):
        ask(Question("workers", {}))
