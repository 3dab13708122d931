import enum
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.emitter.encoding import REPR_CHARACTERS, Encoding, OutgoingEvent


class _Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("not today")


class _Colour(enum.Enum):
    RED = "red"


class _Count:
    def __init__(self) -> None:
        self.value = 0

    def __call__(self) -> None:
        self.value += 1


def _encode(data: dict[str, Any], type_: str = "t") -> tuple[dict[str, Any], int]:
    count = _Count()
    event = OutgoingEvent("id", "/orgs/o/bots/b", "s", type_, "2026-11-23T10:00:00.123456Z", 17, data)
    value = Encoding(count)(event)
    return msgspec.json.decode(value), count.value


def test_an_event_is_a_cloudevent_in_structured_mode() -> None:
    event, unencodable = _encode({"intent": "order_status", "confidence": 0.93}, "bot.intent.detected")

    assert event == {
        "specversion": "1.0",
        "id": "id",
        "source": "/orgs/o/bots/b",
        "subject": "s",
        "type": "bot.intent.detected",
        "time": "2026-11-23T10:00:00.123456Z",
        "seq": 17,
        "datacontenttype": "application/json",
        "data": {"intent": "order_status", "confidence": 0.93},
    }
    assert unencodable == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON))
def test_what_json_has_is_passed_on_as_it_is(data: dict[str, Any]) -> None:
    event, unencodable = _encode(data)

    assert event["data"] == data
    assert unencodable == 0


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1j, "1j"),
        (ValueError("no"), "ValueError('no')"),
        (_Hostile(), "<_Hostile without a repr>"),
        ("a\ud800b", "a\\ud800b"),
        ({"deep": ["\ud800"]}, {"deep": ["\\ud800"]}),
        ({"\udfff": 1, _Hostile: "\ud800"}, None),
    ],
)
def test_a_value_that_is_no_json_is_shown_and_counted(value: object, shown: object) -> None:
    event, unencodable = _encode({"value": value, "beside": "stays"})

    assert event["data"]["beside"] == "stays"
    assert shown is None or event["data"]["value"] == shown
    assert unencodable >= 1


def test_a_value_that_contains_itself_ends_somewhere() -> None:
    loop: list[object] = [1]
    loop.append(loop)

    event, unencodable = _encode({"loop": loop, "beside": "stays"})

    assert event["data"]["beside"] == "stays"
    assert unencodable == 1


def test_a_long_repr_is_cut() -> None:
    class Long:
        def __repr__(self) -> str:
            return "x" * 100_000

    event, _ = _encode({"value": Long()})

    assert event["data"]["value"] == "x" * REPR_CHARACTERS


def test_what_msgspec_knows_needs_no_repr() -> None:
    event, unencodable = _encode({"colour": _Colour.RED, "bytes": b"\xff", "set": {1}, "nan": math.nan, "big": 1 << 80})

    assert event["data"] == {"colour": "red", "bytes": "/w==", "set": [1], "nan": None, "big": 1 << 80}
    assert unencodable == 0


def test_a_type_with_a_lone_surrogate_is_written_out() -> None:
    event, _ = _encode({}, "bot.\ud800")

    assert event["type"] == "bot.\\ud800"


@given(st.dictionaries(st.text(st.characters(codec=None)), st.from_type(object) | st.text(st.characters(codec=None))))
def test_nothing_that_a_bot_puts_in_raises(data: dict[str, Any]) -> None:
    event, _ = _encode(data)

    assert event["seq"] == 17
