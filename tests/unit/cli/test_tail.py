"""What `headrace tail` shows of a record."""

from collections.abc import Iterator, Sequence

import msgspec
import pytest

from headrace.cli.tail import Sought, lines
from headrace.model.record import Header, Record

EVENT = b'{"specversion":"1.0","id":"1","source":"/orgs/a/bots/b","type":"t","time":"T","subject":"s","data":{"x":\n1}}'


class Fresh:
    """A record of the main topic."""

    def __init__(self, key: bytes | None, value: bytes | None) -> None:
        self._key, self._value = key, value

    def topic(self) -> str:
        return "headrace.events"

    def partition(self) -> int:
        return 2

    def offset(self) -> int:
        return 5

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> Sequence[Header] | None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, 0)


def shown(value: bytes | None, sought: Sought | None = None, key: bytes | None = b"a/s") -> list[tuple[str, str]]:
    def records() -> Iterator[Record]:
        yield Fresh(key, value)

    found = lines(records(), sought or Sought())
    return [(msgspec.json.encode(document).decode(), line) for document, line in found]


def test_event_is_one_line_with_its_data() -> None:
    ((document, line),) = shown(EVENT)

    assert line == 'T  a  s  t  {"x":1}'
    assert msgspec.json.decode(document)["event"] == msgspec.json.decode(EVENT)
    assert "\n" not in document


@pytest.mark.parametrize(
    ("sought", "is_shown"),
    [
        (Sought(org="a", session="s", type="t"), True),
        (Sought(org="b"), False),
        (Sought(session="other"), False),
        (Sought(type="other"), False),
    ],
)
def test_only_what_is_sought_is_shown(sought: Sought, is_shown: bool) -> None:
    assert bool(shown(EVENT, sought)) == is_shown


def test_garbage_is_shown_with_its_reason_when_everything_is() -> None:
    ((document, line),) = shown(b"\x1b[2J")

    assert line.startswith("2/5  not_cloudevent: ")
    assert msgspec.json.decode(document)["position"] == "2/5"
    assert shown(b"\x1b[2J", Sought(org="a")) == []


def test_hostile_event_cannot_act_on_the_terminal() -> None:
    hostile = EVENT.replace(b'"subject":"s"', b'"subject":"\\u001b[2J"').replace(b'"x":\n1', '"\u202e":1'.encode())

    ((_, line),) = shown(hostile)

    assert line.isprintable()


def test_event_whose_fields_are_of_other_types_is_shown_all_the_same() -> None:
    odd = EVENT.replace(b'"subject":"s"', b'"subject":[1]').replace(b'"time":"T"', b'"time":{}')

    assert len(shown(odd)) == 1
    assert shown(odd, Sought(session="s")) == []


def test_event_of_nobody_is_shown_as_such() -> None:
    ((_, line),) = shown(EVENT, key=b"other/s")

    assert line.startswith("T  -  s  t")
