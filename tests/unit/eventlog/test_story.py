"""A session's events as a story."""

from typing import Any

from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.port import EventQuery
from headrace.eventlog.story import Line, tell
from headrace.model.taxonomy import FAILURES, TAXONOMY
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import ERROR, event


def story(*events: tuple[str, dict[str, Any]]) -> list[Line]:
    log = MemoryEventLog(FakeClock())
    log.upsert([event(f"{seq}", seq=seq, type=type_, data=data) for seq, (type_, data) in enumerate(events)])
    return tell(log.events(EventQuery(org="acme", session="s-1")))


def test_the_end_of_an_action_completes_the_line_of_its_begin() -> None:
    (line,) = story(
        ("bot.action.invoked", {"action": "LookUp", "kind": "apex", "call": "c", "inputs": {"order": 7}}),
        ("bot.action.succeeded", {"action": "LookUp", "call": "c", "duration_ms": 12.5, "outputs": {"found": True}}),
    )

    assert (line.verb, line.text, line.duration_ms) == ("action", "LookUp (apex) order = 7 → found = true", 12.5)


def test_a_failed_action_carries_its_error_and_what_happened_inside_stands_further_in() -> None:
    outer, inner = story(
        ("bot.action.invoked", {"action": "LookUp", "call": "c"}),
        ("bot.model.called", {"model": "m", "input_tokens": 3, "output_tokens": 4}),
        ("bot.action.failed", {"action": "LookUp", "call": "c", "error": ERROR}),
    )

    assert outer.error is not None
    assert (outer.error.type, outer.depth) == ("OrderNotFound", 0)
    assert (inner.text, inner.depth) == ("m 3 tokens in, 4 tokens out", 1)


def test_two_calls_of_one_action_at_the_same_time_keep_apart() -> None:
    first, second = story(
        ("bot.action.invoked", {"action": "A", "call": "1"}),
        ("bot.action.invoked", {"action": "A", "call": "2"}),
        ("bot.action.succeeded", {"action": "A", "call": "1", "duration_ms": 1}),
        ("bot.action.failed", {"action": "A", "call": "2", "duration_ms": 2, "error": ERROR}),
    )

    assert (first.duration_ms, first.error) == (1, None)
    assert second.duration_ms == 2
    assert second.error is not None


def test_an_action_without_an_end_says_so() -> None:
    (line,) = story(("bot.action.invoked", {"action": "A", "call": "1"}))

    assert line.text == "A (no end recorded)"


def test_an_end_without_a_begin_is_a_line_of_its_own() -> None:
    (line,) = story(("bot.action.failed", {"action": "A", "kind": "flow", "call": "lost", "error": ERROR}))

    assert line.text == "A (flow)"
    assert line.error is not None


def test_a_turn_takes_as_long_as_its_end_says() -> None:
    turn, said = story(
        ("bot.turn.started", {"turn": 2, "input": "voice"}),
        ("bot.message.received", {"text": "hello"}),
        ("bot.turn.ended", {"turn": 2, "duration_ms": 40}),
    )

    assert (turn.kind, turn.text, turn.duration_ms) == ("turn", "2 (voice)", 40)
    assert (said.kind, said.text, said.depth) == ("person", "hello", 0)


def test_leaving_a_dialog_leaves_those_inside_it_too() -> None:
    lines = story(
        ("bot.dialog.entered", {"dialog": "outer"}),
        ("bot.dialog.entered", {"dialog": "inner"}),
        ("bot.variable.set", {"variable": "x", "value": [1]}),
        ("bot.dialog.exited", {"dialog": "outer", "outcome": "cancelled"}),
        ("bot.dialog.exited", {"dialog": "never entered"}),
    )

    assert [(line.verb, line.depth) for line in lines] == [
        ("dialog", 0),
        ("dialog", 1),
        ("set", 2),
        ("leave", 0),
        ("leave", 0),
    ]
    assert lines[2].text == "x = [1]"


def test_an_unknown_type_is_told_by_its_name_and_data() -> None:
    known, bare = story(("acme.order.shipped", {"order": 7}), ("acme.ping", {}))

    assert (known.verb, known.text) == ("acme.order.shipped", '{"order":7}')
    assert (bare.verb, bare.text) == ("acme.ping", "")


def test_every_type_of_the_taxonomy_is_told_without_a_field_or_with_odd_ones() -> None:
    """Producers in other languages leave out what they like."""
    odd: dict[str, Any] = {"text": 7, "duration_ms": "long", "inputs": [1], "confidence": "high", "error": "oops"}
    for type_ in TAXONOMY:
        for data in ({}, odd):
            for line in story((type_, data)):
                assert (line.duration_ms, line.error is not None) == (None, type_ in FAILURES)


def test_every_type_of_the_taxonomy_has_words_of_its_own() -> None:
    ends = {"bot.turn.ended"}
    for type_ in TAXONOMY.keys() - ends:
        (line,) = story((type_, {}))
        assert line.verb != type_


def test_long_values_are_cut_and_what_people_said_is_not() -> None:
    value, said = story(
        ("bot.variable.set", {"variable": "x", "value": "y" * 1000}), ("bot.message.sent", {"text": "z" * 1000})
    )

    assert len(value.text) < 250
    assert len(said.text) == 1000
