"""Dead letters as people and programs read them."""

import msgspec
import pytest

from headrace.cli.letters import list_text, page_of, page_text, position_of, row_of
from headrace.errors import UsageError
from headrace.model.mark import Mark
from headrace.model.record import Origin
from headrace.wire.letters import DeadLetter


def letter(value: bytes | None = b'{"id":"e1"}', error: str = "no") -> DeadLetter:
    origin = Origin("headrace.events", 3, 99)
    mark = Mark(destination="crm", origin=origin, attempts=2, first_failed_at=0.0, due_at=1.5, reason="rejected")
    return DeadLetter(
        partition=3,
        offset=17,
        org="acme",
        destination="crm",
        id="e1",
        source="/orgs/acme/bots/b",
        mark=mark,
        died=1.5,
        error=error,
        key=b"acme/s",
        value=value,
    )


def test_row_is_the_documented_one() -> None:
    assert msgspec.to_builtins(row_of(letter(), "open")) == {
        "position": "3/17",
        "id": "e1",
        "source": "/orgs/acme/bots/b",
        "org": "acme",
        "destination": "crm",
        "reason": "rejected",
        "error": "no",
        "attempts": 2,
        "origin": "headrace.events/3/99",
        "dead_at": "1970-01-01T00:00:01.500Z",
        "state": "open",
    }


def test_list_counts_its_letters() -> None:
    assert list_text([]) == "No dead letters."
    assert list_text([row_of(letter(), "open")]).endswith("\n\n1 dead letter.")


def test_hostile_letter_cannot_act_on_the_terminal() -> None:
    hostile = letter(b"\x1b]0;owned\x07\nnext", "\x1b[31mred")

    assert "\x1b" not in page_text(page_of(hostile, "open")) + list_text([row_of(hostile, "open")])
    assert page_text(page_of(hostile, "open")).endswith("\\x1b]0;owned\\x07\nnext")


def test_value_that_is_not_utf8_is_shown_in_base64() -> None:
    page = page_of(letter(b"\xff\x00"), "open")

    assert (page.value, page.value_base64) == (None, "/wA=")
    assert page_text(page).endswith("in base64: /wA=")


def test_value_that_was_left_out_is_said_to_be_missing() -> None:
    assert page_text(page_of(letter(None), "open")).endswith("The record has no value.")


def test_position_is_partition_and_offset() -> None:
    assert position_of("3/17") == (3, 17)


@pytest.mark.parametrize("text", ["", "3", "3/", "/17", "3/x", "-1/2", "3/1/7", "²/1"])
def test_position_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no position of a dead letter"):
        position_of(text)
