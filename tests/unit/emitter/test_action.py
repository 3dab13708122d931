import asyncio
from contextlib import suppress
from typing import Any

import pytest

import headrace
from headrace.emitter.action import MESSAGE_CHARACTERS, STACK_BYTES


class OrderNotFound(Exception):
    pass


class NoRoute(Exception):
    origin = "channel"


class Odd(Exception):
    origin = "the moon"

    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_action_that_works_is_told_twice(outlet: Any) -> None:
    with outlet.log().action("LookUpOrder", kind="apex", order=42) as action:
        action.output(status="shipped")

    invoked, succeeded = (event["data"] for event in outlet.events)
    assert outlet.types == ["bot.action.invoked", "bot.action.succeeded"]
    assert (invoked["action"], invoked["kind"], invoked["inputs"]) == ("LookUpOrder", "apex", {"order": 42})
    assert (succeeded["action"], succeeded["kind"], succeeded["outputs"]) == (
        "LookUpOrder",
        "apex",
        {"status": "shipped"},
    )
    assert invoked["call"] == succeeded["call"]
    assert 0 <= succeeded["duration_ms"] < 10_000


@pytest.mark.parametrize(
    ("kind", "error", "origin"),
    [
        ("apex", OrderNotFound("4711"), "custom_code"),
        ("flow", OrderNotFound("4711"), "custom_code"),
        ("tool", OrderNotFound("4711"), "custom_code"),
        ("function", OrderNotFound("4711"), "custom_code"),
        ("http", OrderNotFound("4711"), "integration"),
        ("external_service", OrderNotFound("4711"), "integration"),
        ("apex", NoRoute("4711"), "channel"),
        ("apex", Odd(), "custom_code"),
    ],
)
def test_an_exception_tells_where_it_comes_from(outlet: Any, kind: str, error: Exception, origin: str) -> None:
    with pytest.raises(type(error)), outlet.log().action("LookUpOrder", kind=kind):
        raise error

    assert outlet.types == ["bot.action.invoked", "bot.action.failed"]
    failed = outlet.events[1]["data"]
    assert failed["error"]["origin"] == origin
    assert failed["error"]["type"] == type(error).__name__
    assert failed["error"]["message"] in ("4711", "<an exception that cannot be shown>")
    assert "test_an_exception_tells_where_it_comes_from" in failed["error"]["stack"]


def test_an_error_that_was_reported_without_throwing_is_told(outlet: Any) -> None:
    with outlet.log().action("BookHotel", kind="external_service") as action:
        action.fail("no rooms left", type="SoldOut", code="E17")

    assert outlet.types[1] == "bot.action.failed"
    assert outlet.events[1]["data"]["error"] == {
        "origin": "integration",
        "type": "SoldOut",
        "message": "no rooms left",
        "code": "E17",
    }


def test_an_action_spans_an_await(outlet: Any) -> None:
    async def look_up() -> None:
        with outlet.log().action("Wait", kind="http"):
            await asyncio.sleep(60)

    async def give_up() -> None:
        task = asyncio.create_task(look_up())
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(give_up())

    assert outlet.types == ["bot.action.invoked", "bot.action.failed"]
    assert outlet.events[1]["data"]["error"]["type"] == "CancelledError"


def test_a_very_long_exception_is_cut(outlet: Any) -> None:
    def deep(levels: int) -> None:
        if levels:
            deep(levels - 1)
        raise OrderNotFound("x" * 100_000)

    with pytest.raises(OrderNotFound), outlet.log().action("Deep"):
        deep(200)

    error = outlet.events[1]["data"]["error"]
    assert len(error["message"]) == MESSAGE_CHARACTERS
    assert len(error["stack"]) <= STACK_BYTES


def test_outside_of_a_session_an_action_runs_unrecorded() -> None:
    ran = False
    with headrace.action("LookUpOrder", kind="apex"):
        ran = True

    assert ran


def test_code_deep_inside_records_an_action(outlet: Any) -> None:
    with outlet.log(), headrace.action("LookUpOrder", kind="apex", order=42):
        pass

    assert outlet.types == ["bot.action.invoked", "bot.action.succeeded"]
