"""Whose a retry or dead record is."""

from collections.abc import Sequence

import pytest

from headrace.model.mark import Mark
from headrace.model.record import Header, Origin
from headrace.wire.headers import encode
from headrace.wire.letters import cell_of, read_letter

EVENT = b'{"specversion":"1.0","id":"e1","source":"/orgs/acme/bots/b","type":"t"}'


class Held:
    """A record as the dead topic holds it."""

    def __init__(self, key: bytes | None, value: bytes | None, headers: Sequence[Header] | None) -> None:
        self._key, self._value, self._headers = key, value, headers

    def topic(self) -> str:
        return "headrace.dead"

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return 17

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> Sequence[Header] | None:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        return (1, 5000)


def marked(destination: str = "crm", reason: str = "rejected") -> list[Header]:
    origin = Origin("headrace.events", 3, 99)
    mark = Mark(
        destination=destination, origin=origin, attempts=2, first_failed_at=1.0, due_at=2.0, reason=reason, error="no"
    )
    return encode(mark)


def test_letter_tells_what_its_headers_and_its_value_say() -> None:
    letter = read_letter(Held(b"acme/s", EVENT, marked()))

    assert (letter.position, letter.org, letter.destination, letter.id, letter.source, letter.error, letter.died) == (
        "3/17",
        "acme",
        "crm",
        "e1",
        "/orgs/acme/bots/b",
        "no",
        2.0,
    )


@pytest.mark.parametrize(
    ("key", "value", "destination", "reason", "cell"),
    [
        pytest.param(b"acme/s", EVENT, "crm", "gave_up", ("acme", "crm"), id="by key"),
        pytest.param(None, EVENT, "crm", "gave_up", ("acme", "crm"), id="by source"),
        pytest.param(b"acme/s", b"{", "-", "not_cloudevent", ("acme", "-"), id="garbage with a key"),
        pytest.param(None, b"{", "-", "not_cloudevent", ("-", "-"), id="garbage"),
        pytest.param(b"other/s", EVENT, "-", "org_mismatch", ("-", "-"), id="two orgs"),
        pytest.param(b"acme/s", None, "crm", "too_large", ("acme", "crm"), id="left out value"),
        pytest.param(b"acme/s", EVENT, "-", "no_route", ("acme", "-"), id="no route"),
    ],
)
def test_cell_is_what_the_worker_counted(
    key: bytes | None, value: bytes | None, destination: str, reason: str, cell: tuple[str, str]
) -> None:
    assert cell_of(Held(key, value, marked(destination, reason))) == cell


def test_record_without_headers_is_a_letter_that_says_so() -> None:
    letter = read_letter(Held(b"acme/s", EVENT, None))

    assert letter.mark is None
    assert letter.error == "the header hr-destination is missing"
    assert (letter.org, letter.destination, letter.died) == ("acme", "-", 5.0)


def test_header_that_holds_null_cannot_be_read() -> None:
    """Kafka allows it, though no typed client of ours writes it."""
    headers = [(name, None if name == "hr-attempts" else value) for name, value in marked()]

    letter = read_letter(Held(b"acme/s", EVENT, headers))  # type: ignore[arg-type]  # that is the point

    assert letter.mark is None
