"""What an event tells, whoever wrote it."""

from typing import Any

import pytest

from headrace.eventlog.told import ErrorTold, Told
from headrace.testing.eventlog_contract import event


def test_an_error_is_told_whatever_its_fields_are() -> None:
    told = Told(event("1", data={"error": {"message": {"a": 1}, "code": 7, "stack": [1]}})).error()

    assert told == ErrorTold(origin="", type="Error", message='{"a":1}', code="7", frames=("[1]",))


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"action": "LookUp", "kind": "apex"}, "action LookUp (apex)"),
        ({"action": "LookUp", "dialog": "d"}, "action LookUp"),
        ({"tool": "search"}, "action search"),
        ({"dialog": "d", "step": "s"}, "dialog d, step s"),
        ({"step": "s"}, "step s"),
        ({}, ""),
    ],
)
def test_place_is_the_action_or_else_the_dialog(data: dict[str, str], place: str) -> None:
    assert Told(event("1", data=data)).place() == place


@pytest.mark.parametrize(
    "value", [b"", b"nonsense", b"[1]", event("1", data=[1]), event("1", data=None), b"[" * 100_000]
)
def test_an_event_without_an_object_tells_nothing(value: bytes) -> None:
    told: Any = Told(value)

    assert (told.text("x"), told.number("x"), told.fields("x"), told.value("x"), told.error()) == (
        "",
        None,
        {},
        None,
        None,
    )
