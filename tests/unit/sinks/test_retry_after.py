import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.sinks.retry_after import LONGEST, read_retry_after

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 1.0),
        (" 120 ", 120.0),
        ("007", 7.0),
        ("Mon, 23 Nov 2026 10:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 11:00:30 +0100", 30.0),
        ("Monday, 23-Nov-26 10:00:30 GMT", 30.0),
        ("Mon Nov 23 10:00:30 2026", 30.0),
        ("9" * 5_000, LONGEST),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST),
    ],
)
def test_seconds_and_dates_are_read(text: str, seconds: float) -> None:
    assert read_retry_after(text, NOW.timestamp()) == seconds


def test_a_date_without_a_zone_is_utc_wherever_the_worker_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("TZ", "UTC-9")
            time.tzset()
            assert read_retry_after("Mon Nov 23 10:00:30 2026", NOW.timestamp()) == 30.0
    finally:
        time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "0",
        "-5",
        "+5",
        "1.5",
        "1e3",
        "soon",
        "nan",
        "inf",
        "²",
        "٣",
        "5, 6",
        "Mon, 23 Nov 2026 09:59:59 GMT",
        "Mon, 99 Nov 2026 10:00:30 GMT",
        "Mon, 23 Nov 2026 10:00:30 +9999999",
    ],
)
def test_what_asks_for_nothing_or_cannot_be_read_is_ignored(text: str | None) -> None:
    assert read_retry_after(text, NOW.timestamp()) is None


@given(st.text() | st.text(alphabet="0123456789:, -+GMTonNv"))
def test_any_text_is_read(text: str) -> None:
    wait = read_retry_after(text, NOW.timestamp())

    assert wait is None or 0 < wait <= LONGEST


@given(st.integers(1, 10**6))
def test_a_date_and_its_seconds_are_the_same(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert read_retry_after(date, NOW.timestamp()) == read_retry_after(str(seconds), NOW.timestamp()) == seconds
