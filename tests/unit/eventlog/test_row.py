"""What the event log reads of an event."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headrace.eventlog.row import AHEAD, Row, read
from headrace.eventlog.told import Told
from headrace.testing.eventlog_contract import event

NOW = 1_795_500_000.0

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def row(value: bytes) -> Row:
    found = read(value, NOW)
    assert isinstance(found, Row)
    return found


def test_the_usual_event_is_read_whole() -> None:
    value = event("7", seq=3, time="2026-11-23T10:00:00.25Z", data={"error": {"type": "X"}})

    assert row(value) == Row(
        id="7",
        source="/orgs/acme/bots/helpdesk",
        org="acme",
        session="s-1",
        seq=3,
        at=1_795_428_000.25,
        type="bot.message.sent",
        failed=True,
        value=value,
    )


@given(subject=JSON, seq=JSON, time=JSON, data=JSON, type_=st.sampled_from(["t", "bot.action.failed"]))
def test_whatever_is_optional_never_refuses_an_event(subject: Any, seq: Any, time: Any, data: Any, type_: str) -> None:
    whole = {"id": "1", "source": "s", "type": type_, "subject": subject, "seq": seq, "time": time, "data": data}

    found = row(msgspec.json.encode(whole))

    assert found.session == (subject if isinstance(subject, str) else "")
    is_seq = isinstance(seq, int) and not isinstance(seq, bool) and -(2**63) <= seq < 2**63
    assert found.seq == (seq if is_seq else None)
    is_error = isinstance(data, dict) and isinstance(data.get("error"), dict)
    assert found.failed == (is_error or type_ != "t")
    assert found.failed == (Told(found.value).error() is not None)


def test_a_time_without_an_offset_is_utc_and_one_that_is_none_is_now() -> None:
    assert row(event("1", time="2026-11-23T10:00:00")).at == 1_795_428_000.0
    assert row(event("1", time="2026-11-23T12:00:00+02:00")).at == 1_795_428_000.0
    for none in ("", "soon", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", 7, None):
        assert row(event("1", time=none)).at == NOW


def test_a_clock_may_be_a_month_ahead_and_what_is_later_is_none() -> None:
    """It would stand before all others, and outlast every retention."""
    for ahead, at, is_dated in ((AHEAD - 1, NOW + AHEAD - 1, True), (AHEAD + 1, NOW, False)):
        time = datetime.fromtimestamp(NOW + ahead, UTC).isoformat()
        for told in (event("1", time=time), event("1", time=time, subject=7)):  # what is usual, and what is odd
            assert (row(told).at, row(told).is_dated) == (at, is_dated)


def test_the_given_org_comes_before_the_sources() -> None:
    assert read(event("1"), NOW, "globex") == row(event("1"))._replace(org="globex")


def test_what_lacks_a_needed_string_is_refused_with_the_reason() -> None:
    for value in (event("1", type=None), event("1", source=4), b"[]", b"", b'{"id":"\xff"}'):
        refused = read(value, NOW)
        assert isinstance(refused, str)
        assert refused.startswith("not an event: ")
