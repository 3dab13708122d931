"""A session told as steps, variables, faults and text, without reading anything."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.console.telling.detail import detail_of
from headrace.console.telling.faults import fault_of, frames_of
from headrace.console.telling.rows import rows_of
from headrace.console.telling.steps import Field, gaps_of, names_of, steps_of
from headrace.console.telling.texts import Shown, pretty, short, shown
from headrace.console.telling.variables import around, place_of
from headrace.eventlog.fingerprint import failure
from headrace.eventlog.port import StoredEvent
from headrace.model.taxonomy import FAILURES, VariableSet
from headrace.testing.eventlog_contract import event

STACK = """Traceback (most recent call last):
  File "/srv/bot/orders.py", line 7, in find
  File "/usr/lib/python3.11/site-packages/orm/query.py", line 1, in one
"""
ERROR = {"origin": "custom_code", "type": "OrderNotFound", "message": "no order 7", "code": "404", "stack": STACK}


def stored(seq: int | None, type_: str, /, data: object = None, at: float = 0.0, id_: str = "") -> StoredEvent:
    """Return an event as the log gives it."""
    id_ = id_ or f"id-{seq}"
    return StoredEvent(
        org="acme",
        session="s-1",
        seq=seq,
        at=at,
        type=type_,
        failed=type_ in FAILURES or (isinstance(data, dict) and "error" in data),
        value=event(id_, seq=seq, type=type_, data=data),
        id=id_,
    )


def action(seq: int, failing: bool = False) -> list[StoredEvent]:
    """Return an action of two events, the second a tenth of a second after the first."""
    data: dict[str, Any] = {"action": "LookUp", "kind": "apex", "call": f"c{seq}"}
    end = {"error": ERROR} if failing else {"outputs": {"found": True}}
    return [
        stored(seq, "bot.action.invoked", data | {"inputs": {"number": 1 << 80}}, 1.0),
        stored(seq + 1, f"bot.action.{'failed' if failing else 'succeeded'}", data | end | {"duration_ms": 100.0}, 1.1),
    ]


def test_an_action_is_one_step_with_what_came_in_and_out_to_the_last_digit() -> None:
    (step,) = steps_of(action(3), is_begin=False)

    assert (step.name, step.end_name, step.at, step.end_at, step.took) == ("3", "4", 1.0, 1.1, 0.1)
    assert step.inputs == [Field("number", Shown("1208925819614629174706176"))]
    assert step.outputs == [Field("found", Shown("true"))]
    assert step.fault is None


def test_a_failed_action_tells_what_threw_and_which_frames_are_the_bots_own() -> None:
    (step,) = steps_of(action(0, failing=True))

    assert step.fault is not None
    assert (step.fault.origin, step.fault.type, step.fault.code) == ("custom_code", "OrderNotFound", "404")
    assert (step.fault.message, step.fault.culprit) == (Shown("no order 7"), "action LookUp (apex)")
    assert [(each.text, each.is_own) for each in step.fault.frames] == [
        ("/srv/bot/orders.py:7 in find", True),
        ("/usr/lib/python3.11/site-packages/orm/query.py:1 in one", False),
    ]


def test_a_failure_that_tells_no_object_is_shown_with_what_it_says() -> None:
    events = [stored(1, "bot.exception.raised", {"error": "ValueError: boom"}), stored(2, "bot.action.failed", {})]

    said, bare = (step.fault for step in steps_of(events))

    assert said is not None
    assert (said.type, said.message.text, said.fingerprint) == (
        "ValueError",
        "boom",
        failure(events[0].value).fingerprint,
    )
    assert bare is not None
    assert (bare.type, bare.message.text, bare.frames) == ("Error", "", [])


def test_what_is_missing_stands_before_the_step_that_follows() -> None:
    """Also before an event that only completes a step: nothing else follows it."""
    begin, end = action(5)
    events = [stored(2, "a"), begin, msgspec.structs.replace(end, seq=9), stored(None, "b"), stored(None, "c", id_="x")]

    assert [step.missing for step in steps_of(events)] == [2, 2, 3, 0]
    assert [step.missing for step in steps_of(events, is_begin=False)] == [0, 2, 3, 0]


@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=40))
def test_gaps_add_up_to_the_numbers_that_nobody_has(seqs: list[int | None]) -> None:
    ordered = sorted(each for each in seqs if each is not None)
    events = [stored(seq, "t") for seq in (*ordered, *(each for each in seqs if each is None))]

    assert sum(gaps_of(events)) == (len(set(range(ordered[-1] + 1)) - set(ordered)) if ordered else 0)


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 5)), st.sampled_from(["a", "b", "1"])), max_size=20))
def test_no_two_events_of_a_page_have_one_name(them: list[tuple[int | None, str]]) -> None:
    names = names_of([stored(seq, "t", id_=id_) for seq, id_ in them])

    assert len(set(names)) == len(names) == len(them)


Sets = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=12)


@given(Sets, st.integers(0, 12), st.integers(0, 3))
def test_variables_are_what_was_set_last_up_to_there(sets: list[tuple[str, int]], first: int, more: int) -> None:
    events = [stored(n, VariableSet.type, {"variable": name, "value": value}) for n, (name, value) in enumerate(sets)]
    places = [(False, seq, 0.0, f"id-{seq}") for seq in (first, first + more)]

    found = around(events, *places, most=len(events))
    assert found is not None

    before, after = dict(sets[:first]), dict(sets[: first + more + 1])
    assert {each.name: int(each.before.text) for each in found if each.before is not None} == before
    assert {each.name: int(each.after.text) for each in found if each.after is not None} == after
    assert {each.name for each in found if each.is_changed} == {
        name for name in after if before.get(name) != after[name]
    }


def test_a_step_in_full_is_told_from_its_two_events_and_leads_to_other_errors() -> None:
    failed = [
        stored(1, "bot.exception.raised", {"error": ERROR}),
        action(4, failing=True)[1],
        stored(9, "bot.exception.raised", {"error": ERROR}),
    ]
    sets = [
        stored(2, VariableSet.type, {"variable": "n", "value": 1}),
        stored(8, VariableSet.type, {"variable": "n", "value": 2}),
    ]
    events = [failed[0], sets[0], *action(4, failing=True), sets[1], failed[2]]

    told = detail_of(failed[1], events, steps_of(events), failed, sets)

    assert (told.name, told.id, told.previous, told.next) == ("4", "id-4", "id-1", "id-9")
    assert [each.type for each in told.events] == ["bot.action.invoked", "bot.action.failed"]
    assert [each.name for each in told.inputs] == ["number"]
    assert {each.name for each in told.fields} == {"action", "kind", "call", "duration_ms"}
    assert told.fault is not None
    assert [(each.name, each.before, each.after) for each in told.variables] == [("n", Shown("1"), Shown("1"))]


def test_a_step_that_is_not_on_the_page_is_told_all_the_same() -> None:
    told = detail_of(stored(7, "x"), [], [], [], [])

    assert (told.id, told.previous, told.next, told.variables) == ("id-7", None, None, [])


def test_rows_tell_the_time_between_events_and_are_exact() -> None:
    first, second = rows_of([stored(0, "a", at=5.0), stored(3, "b", {"n": 1 << 80}, at=4.5)])

    assert (first.after, second.after, second.missing) == (0.0, -0.5, 2)
    assert '"n": 1208925819614629174706176' in second.json.text


def test_text_is_cut_and_what_acts_in_it_is_made_visible() -> None:
    assert shown("a\0b\x1b[31m\u202eevil\u2066\ufeff\n\t") == Shown("a␀b␛[31m\ufffdevil\ufffd\ufffd\n\t")
    assert shown("x" * 11, 10) == Shown("x" * 10, is_cut=True)
    assert shown("x" * 10, 10) == Shown("x" * 10)


@pytest.mark.parametrize("value", [b"\xff\xfe", b"[" * 5000 + b"]" * 5000, b"{", b""])
def test_what_is_no_json_is_shown_as_it_is(value: bytes) -> None:
    assert pretty(value, 20_000).text == value.decode(errors="replace")


@given(st.text(max_size=30), st.integers(1, 10))
def test_short_json_says_whether_it_was_cut(text: str, most: int) -> None:
    value = msgspec.json.encode(text)
    told = short(value, most)

    assert told.is_cut == (len(value.decode()) > most)
    assert len(told.text) == min(most, len(value.decode()))


def test_data_of_any_other_form_is_no_error() -> None:
    for data in (None, [1], "text", 7, {"error": "no object"}, {"inputs": 3, "outputs": []}):
        (step,) = steps_of([stored(0, "bot.action.invoked", data)])
        assert (step.inputs, step.outputs, step.fault) == ([], [], None)
    assert fault_of(b"no json") is None


def test_a_stack_has_so_many_frames_and_letters_at_most() -> None:
    frames = frames_of("\n".join(["at Code." + "x" * 900] * 500))

    assert len(frames) == 200
    assert {len(each.text) for each in frames} == {500}


def test_events_stand_in_the_order_of_their_numbers_and_those_without_last() -> None:
    events = [stored(2, "a"), stored(None, "b"), stored(0, "c")]

    assert [each.type for each in sorted(events, key=place_of)] == ["c", "a", "b"]
