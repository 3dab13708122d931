"""What an event tells, whoever wrote it."""

from typing import Any

import pytest

from headrace.eventlog.fingerprint import failure
from headrace.eventlog.told import ErrorTold, Told
from headrace.testing.eventlog_contract import event


def test_an_error_is_told_whatever_its_fields_are() -> None:
    told = Told(event("1", data={"error": {"message": {"a": 1}, "code": 7, "stack": [1]}})).error()

    assert told == ErrorTold(origin="", type="Error", message='{"a":1}', code="7", frames=("[1]",))


PYTHON = """Traceback (most recent call last):
  File "/srv/bot/orders.py", line 4, in find
    raise KeyError(7)
KeyError: 7
"""
JAVA = "com.acme.OrderNotFound: no order 7\n\tat com.acme.Orders.find(Orders.java:4)\n"


@pytest.mark.parametrize(
    ("error", "type_", "message", "frames"),
    [
        ("ValueError: boom", "ValueError", "boom", ()),
        ("shop.errors.NotFound: a: b\nc", "shop.errors.NotFound", "a: b\nc", ()),
        ("ValueError('boom')", "ValueError", "boom", ()),
        ("TimeoutError()", "TimeoutError", "", ()),
        ("TimeoutError", "TimeoutError", "", ()),
        (PYTHON, "KeyError", "7", ("/srv/bot/orders.py:4 in find",)),
        (JAVA, "com.acme.OrderNotFound", "no order 7", ("at com.acme.Orders.find(Orders.java:4)",)),
        ("at least one is missing", "Error", "at least one is missing", ()),
        ("no order 7", "Error", "no order 7", ()),
        ("order 7: not there", "Error", "order 7: not there", ()),
        ("Timeout", "Error", "Timeout", ()),
        ("KeyError('a', 'b')", "Error", "KeyError('a', 'b')", ()),
        ("two\nlines", "Error", "two\nlines", ()),
        ("", "Error", "", ()),
        (["boom"], "Error", '["boom"]', ()),
        (None, "Error", "", ()),
    ],
)
def test_an_error_that_is_no_object_is_taken_apart_where_that_is_plain(
    error: object, type_: str, message: str, frames: tuple[str, ...]
) -> None:
    value = event("1", type="bot.exception.raised", data={"error": error})

    told, known = Told(value).error(), failure(value)

    assert told is not None
    assert (told.type, told.message, told.frames) == (type_, message, frames)
    assert (known.type, known.message, known.stack) == (type_, message, "\n".join(frames))
    assert Told(event("1", data={"error": error})).error() is None, "its type says of no failure"


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
