"""Failures, grouped by what threw and where."""

from typing import Any

import msgspec

from headrace.eventlog.failures import FailureGroup, group, of_org
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.port import EventQuery
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import ERROR, event


def log_of(*failures: dict[str, Any]) -> MemoryEventLog:
    log = MemoryEventLog(FakeClock())
    log.upsert([event(f"{number}", **failure) for number, failure in enumerate(failures)])
    return log


def groups(*failures: dict[str, Any]) -> list[FailureGroup]:
    log = log_of(*failures)
    return group(log.events(EventQuery(org="acme", failed=True)))


def test_failures_group_by_type_and_place() -> None:
    action = {"action": "LookUp", "kind": "apex"}
    found = groups(
        {"data": action | {"error": ERROR}, "time": "2025-11-23T10:00:00Z", "subject": "a"},
        {"data": action | {"error": ERROR | {"message": "last"}}, "time": "2025-11-23T10:00:09Z", "subject": "b"},
        {"data": action | {"error": ERROR}, "time": "2025-11-23T10:00:05Z", "subject": "a"},
        {"data": action | {"error": ERROR | {"origin": "integration"}}, "time": "2025-11-23T10:00:07Z"},
        {"data": {"dialog": "d", "error": ERROR}},
    )

    assert [(each.origin, each.type, each.place, each.count) for each in found] == [
        ("custom_code", "OrderNotFound", "action LookUp (apex)", 4),
        ("custom_code", "OrderNotFound", "dialog d", 1),
    ]
    most = found[0]
    assert (most.sessions, most.message, most.last_session) == (3, "last", "b")
    assert most.last_at - most.first_at == 9


def test_a_failure_that_names_no_place_is_placed_by_its_stack() -> None:
    stack = '  File "shop.py", line 3, in find\n    raise X\n'

    (found,) = groups({"data": {"error": {"type": "X", "stack": stack}}})

    assert found.place == "shop.py in find"
    assert found.frames == ("shop.py:3 in find",)


def test_failures_group_as_the_store_groups_them() -> None:
    """One action that throws at two places is two exceptions, whoever counts them."""
    places = ['1/bot/shop.py", line 3, in find', '2/bot/shop.py", line 4, in find', '2/bot/shop.py", line 9, in pay']
    errors = [ERROR | {"stack": f'  File "/srv/{place}\n'} for place in places]
    log = log_of(
        *({"data": {"action": "A", "error": each}, "time": f"2025-11-23T10:00:0{n}Z"} for n, each in enumerate(errors))
    )

    found = group(log.events(EventQuery(org="acme", failed=True)))

    assert [(each.count, each.frames) for each in found] == [
        (2, ("/srv/2/bot/shop.py:4 in find",)),
        (1, ("/srv/2/bot/shop.py:9 in pay",)),
    ]
    assert [msgspec.structs.replace(each, state="ongoing") for each in found] == of_org(log, "acme")


def test_nothing_failed_is_no_group() -> None:
    assert groups({"data": {}}) == []
