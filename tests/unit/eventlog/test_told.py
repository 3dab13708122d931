"""What an event tells, whoever wrote it."""

from typing import Any

import pytest

from headrace.eventlog.told import ErrorTold, Told, frames
from headrace.testing.eventlog_contract import event

PYTHON = """Traceback (most recent call last):
  File "bot.py", line 1, in run
    act()
  File "desk.py", line 2, in act
    call()
  File "shop.py", line 3, in call
    self.find()
  File "orders.py", line 4, in find
    raise KeyError(7)
KeyError: 7
"""
APEX = "Class.Orders.find: line 4, column 1\nClass.Desk.act: line 2, column 1\nClass.Bot.run: line 1, column 1\nX"
JAVA = "OrderNotFound: no\n\tat Orders.find(Orders.java:4)\n\tat Desk.act(Desk.java:2)\n"


@pytest.mark.parametrize(
    ("stack", "told"),
    [
        (PYTHON, ("desk.py:2 in act", "shop.py:3 in call", "orders.py:4 in find")),
        (APEX, ("Class.Bot.run: line 1, column 1", "Class.Desk.act: line 2, column 1", APEX.partition("\n")[0])),
        (JAVA, ("at Desk.act(Desk.java:2)", "at Orders.find(Orders.java:4)")),
        ("a\n\nb\nc\nd", ("b", "c", "d")),
        ("", ()),
    ],
    ids=["python", "apex", "java", "other", "none"],
)
def test_frames_end_with_the_place_that_threw(stack: str, told: tuple[str, ...]) -> None:
    assert frames(stack) == told


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
