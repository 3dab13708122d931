"""Failures, grouped by what threw and where."""

from typing import Any

from headrace.eventlog.failures import FailureGroup, group
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.port import EventQuery
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import ERROR, event


def groups(*failures: dict[str, Any]) -> list[FailureGroup]:
    log = MemoryEventLog(FakeClock())
    log.upsert([event(f"{number}", **failure) for number, failure in enumerate(failures)])
    return group(log.events(EventQuery(org="acme", failed=True)))


def test_failures_group_by_origin_type_and_place() -> None:
    action = {"action": "LookUp", "kind": "apex"}
    found = groups(
        {"data": action | {"error": ERROR}, "time": "2025-11-23T10:00:00Z", "subject": "a"},
        {"data": action | {"error": ERROR | {"message": "last"}}, "time": "2025-11-23T10:00:09Z", "subject": "b"},
        {"data": action | {"error": ERROR}, "time": "2025-11-23T10:00:05Z", "subject": "a"},
        {"data": action | {"error": ERROR | {"origin": "integration"}}},
        {"data": {"dialog": "d", "error": ERROR}},
    )

    assert [(each.origin, each.type, each.place, each.count) for each in found] == [
        ("custom_code", "OrderNotFound", "action LookUp (apex)", 3),
        ("custom_code", "OrderNotFound", "dialog d", 1),
        ("integration", "OrderNotFound", "action LookUp (apex)", 1),
    ]
    most = found[0]
    assert (most.sessions, most.message, most.last_session) == (2, "last", "b")
    assert most.last_at - most.first_at == 9


def test_a_failure_that_names_no_place_is_placed_by_its_stack() -> None:
    stack = '  File "shop.py", line 3, in find\n    raise X\n'

    (found,) = groups({"data": {"error": {"type": "X", "stack": stack}}})

    assert found.place == "shop.py:3 in find"
    assert found.frames == ("shop.py:3 in find",)


def test_nothing_failed_is_no_group() -> None:
    assert groups({"data": {}}) == []
