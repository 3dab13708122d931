"""The answer table of design section 3.3, row by row."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.model.outcome import (
    AllDelivered,
    Answer,
    Busy,
    Delivered,
    Each,
    Misconfigured,
    Refused,
    Rejected,
    Retryable,
    TooLarge,
)
from headrace.sinks.answers import EXCERPT_BYTES, describe, read_answer

IDS = ["a", "b", "c"]


def results(*entries: Any) -> bytes:
    return json.dumps({"results": entries}).encode()


def said(event: str, status: str, **more: Any) -> dict[str, Any]:
    return {"id": event, "status": status, **more}


@pytest.mark.parametrize("status", [200, 201, 202, 204, 208, 299])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html>fine</html>",
        b"{}",
        b' \n{"ok": true}',
        b"[1, 2]",
        b"[cut off",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"data": {"results": []}}',
    ],
)
def test_success_without_results_delivers_all(status: int, body: bytes) -> None:
    assert read_answer(status, body, IDS) == AllDelivered()


@pytest.mark.parametrize("status", [200, 202, 207])
def test_results_are_told_apart_by_id(status: int) -> None:
    body = results(
        said("c", "rejected", reason="no such field"),
        said("a", "delivered"),
        said("b", "retryable", reason="row is locked"),
    )

    assert read_answer(status, body, IDS) == Each(
        (Delivered(), Retryable("row is locked"), Rejected("no such field")),
    )


@pytest.mark.parametrize("status", [200, 207])
def test_an_event_that_is_not_named_is_retryable(status: int) -> None:
    answer = read_answer(status, results(said("b", "delivered"), said("stranger", "delivered")), IDS)

    assert kinds(answer) == [Retryable, Delivered, Retryable]
    assert kinds(read_answer(status, results(), IDS)) == [Retryable, Retryable, Retryable]


def test_ids_are_compared_exactly() -> None:
    body = results(said("A", "delivered"), said(" b", "delivered"), said("ç", "delivered"))

    assert kinds(read_answer(200, body, ["a", "b", "ç"])) == [Retryable, Retryable, Delivered]


@pytest.mark.parametrize(
    "body",
    [
        b'{"results": null}',
        b'{"results": {}}',
        b'{"results": "delivered"}',
        results("a"),
        results(None),
        results({"id": "a"}),
        results({"status": "delivered"}),
        results(said("a", "delivered"), said("b", "done")),
        results(said("a", "Delivered")),
        results({"id": 1, "status": "delivered"}),
        b'{"results": [',
        b'{"results": []',
        b'{"results": []} trailing',
        b'{"ok": true',
        b"{not json}",
        b'{"ok": "\xff"}',
        b'\xef\xbb\xbf{"ok": ',
        b'{"a":' * 100_000,
    ],
)
@pytest.mark.parametrize("status", [200, 207])
def test_what_cannot_be_read_is_busy(status: int, body: bytes) -> None:
    assert isinstance(read_answer(status, body, IDS), Busy)


@pytest.mark.parametrize("body", [b"", b"fine", b"{}", b"[]"])
def test_multi_status_without_results_is_busy(body: bytes) -> None:
    assert read_answer(207, body, IDS) == Busy("HTTP 207 without results")


def test_a_byte_order_mark_is_skipped() -> None:
    assert kinds(read_answer(200, b"\xef\xbb\xbf" + results(said("a", "delivered")), ["a"])) == [Delivered]


def test_a_result_without_a_reason_gets_one() -> None:
    answer = read_answer(200, results(said("a", "rejected"), said("b", "retryable", reason={"code": 7})), ["a", "b"])

    assert answer == Each(
        (Rejected("the destination answered rejected"), Retryable("the destination answered retryable"))
    )


def test_a_long_reason_is_cut() -> None:
    answer = read_answer(200, results(said("a", "rejected", reason="x" * 10_000)), ["a"])

    assert answer == Each((Rejected("x" * 512),))


def test_an_event_that_is_named_twice_is_retryable_when_the_two_differ() -> None:
    body = results(
        said("a", "delivered"),
        said("a", "rejected"),
        said("b", "rejected", reason="one"),
        said("b", "rejected", reason="two"),
        said("c", "delivered"),
        said("c", "delivered"),
    )

    assert kinds(read_answer(200, body, IDS)) == [Retryable, Rejected, Delivered]


def test_a_contradiction_is_not_undone_by_a_third_word() -> None:
    body = results(said("a", "delivered"), said("a", "rejected"), said("a", "delivered"), said("a", "rejected"))

    assert kinds(read_answer(200, body, ["a"])) == [Retryable]


def test_events_that_share_an_id_share_what_is_said_of_it() -> None:
    """Two sources may use one id; an answer that knows ids alone cannot tell them apart."""
    assert kinds(read_answer(200, results(said("a", "delivered")), ["a", "a"])) == [Delivered, Delivered]
    mixed = results(said("a", "delivered"), said("a", "rejected"))
    assert kinds(read_answer(200, mixed, ["a", "a"])) == [Retryable, Retryable]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 507, 599])
def test_a_busy_status_is_busy_and_keeps_the_wait(status: int) -> None:
    answer = read_answer(status, results(said("a", "delivered")), IDS, wait=7.0)

    assert isinstance(answer, Busy)
    assert answer.retry_after == 7.0
    assert not answer.timed_out


def test_too_large() -> None:
    assert read_answer(413, b"", IDS) == TooLarge("HTTP 413 Request Entity Too Large")


@pytest.mark.parametrize("status", [400, 422])
def test_refused(status: int) -> None:
    answer = read_answer(status, b"field 'x' is missing", IDS)

    assert isinstance(answer, Refused)
    assert answer.reason.endswith(": field 'x' is missing")


@pytest.mark.parametrize(
    "status", [100, 199, 300, 301, 302, 303, 304, 307, 308, 401, 402, 403, 404, 405, 409, 410, 415, 451, 499, 600, 999]
)
def test_any_other_status_is_misconfigured(status: int) -> None:
    answer = read_answer(status, results(said("a", "delivered")), IDS, wait=3.0)

    assert isinstance(answer, Misconfigured)
    assert answer.retry_after == 3.0


def test_an_answer_that_was_too_long_is_judged_by_how_it_begins() -> None:
    """Of a long page nothing more is to be learnt; of a long document the results may be in what was not read."""
    assert read_answer(200, b"<html>" * 1000, IDS, whole=False) == AllDelivered()
    assert isinstance(read_answer(200, b'{"ok": true}', IDS, whole=False), Busy)
    assert isinstance(read_answer(207, b"<html>", IDS, whole=False), Busy)


@given(
    status=st.integers(0, 1000),
    body=st.binary() | st.text().map(str.encode) | st.builds(lambda b: b"{" + b, st.binary()),
    ids=st.lists(st.text(min_size=1), min_size=1),
    whole=st.booleans(),
)
def test_any_answer_is_judged(status: int, body: bytes, ids: list[str], *, whole: bool) -> None:
    answer = read_answer(status, body, ids, whole=whole)

    if isinstance(answer, AllDelivered | Each):
        assert 200 <= status < 300
    if isinstance(answer, Each):
        assert len(answer.outcomes) == len(ids)


words = st.sampled_from(["delivered", "retryable", "rejected"])
event_ids = st.sampled_from("abcdef")


@given(
    ids=st.lists(event_ids, min_size=1),
    entries=st.lists(st.builds(said, event_ids, words), max_size=12),
    status=st.sampled_from([200, 207]),
)
def test_an_event_ends_only_as_all_that_is_said_of_it(ids: list[str], entries: list[Any], status: int) -> None:
    """Delivered and Rejected are final, so nothing that was said may speak against them."""
    answer = read_answer(status, results(*entries), ids)

    assert isinstance(answer, Each)
    final = {"delivered": Delivered, "rejected": Rejected}
    for event, outcome in zip(ids, answer.outcomes, strict=True):
        about = {entry["status"] for entry in entries if entry["id"] == event}
        expected = final.get(about.pop(), Retryable) if len(about) == 1 else Retryable
        assert type(outcome) is expected


def test_a_description_is_one_short_printable_line() -> None:
    assert describe(503, b"try\r\n\tlater\x00\x1b[31m") == "HTTP 503 Service Unavailable: try later[31m"
    assert describe(799, b"") == "HTTP 799"
    assert len(describe(500, b"x" * 100_000)) < EXCERPT_BYTES + 50


def kinds(answer: Answer) -> list[type]:
    assert isinstance(answer, Each)
    return [type(outcome) for outcome in answer.outcomes]
