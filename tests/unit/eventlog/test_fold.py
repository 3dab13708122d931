"""Folding events commutes: no order of arrival, and no cut into batches, shows."""

import copy
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headrace.eventlog.fold import EXCEPTION, HIT, PLAIN, SESSION, Folded, fold
from headrace.eventlog.merging import Merging
from headrace.eventlog.row import Row

TYPES = ["bot.session.started", "bot.session.ended", "bot.turn.started", "bot.message.sent", "bot.action.failed"]


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    """Events of few sessions with many ties in seq and time, each with an id of its own."""
    found = []
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(TYPES))
        error = {"error": {"type": draw(st.sampled_from("XY")), "message": f"m{number}"}}
        data: dict[str, Any] = error if kind == "bot.action.failed" else {"reason": f"r{number}", "user": f"u{number}"}
        found.append(
            Row(
                id=f"{number}",
                source=draw(st.sampled_from(["/orgs/a/bots/x", "/orgs/a/bots/y"])),
                org="a",
                session=draw(st.sampled_from("st")),
                seq=draw(st.none() | st.integers(-1, 2)),
                at=draw(st.sampled_from([0.0, 1.5, -3.25])),
                type=kind,
                failed="error" in data,
                value=msgspec.json.encode({"data": data}),
            )
        )
    return found


def merged(parts: list[Folded]) -> tuple[dict[Any, Any], ...]:
    whole: tuple[dict[Any, Any], ...] = ({}, {}, {})
    for part in parts:
        tables: list[tuple[Merging, dict[Any, Any]]] = [
            (SESSION, part.sessions), (EXCEPTION, part.exceptions), (HIT, part.hits),
        ]  # fmt: skip
        for into, (rule, sums) in zip(whole, tables, strict=True):
            for key, each in sums.items():
                if key in into:
                    rule.merge(into[key], each)
                else:
                    into[key] = _apart(each)
    return whole


def _apart(part: Any) -> Any:
    """Copy *part* without what serves folding alone."""
    found = copy.copy(part)
    if hasattr(found, "first"):
        found.first = ()
    return found


@given(rows(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_in_any_batches_comes_to_the_same(events: list[Row], rng: Any, size: int) -> None:
    shuffled = list(events)
    rng.shuffle(shuffled)
    parts = [fold(shuffled[start : start + size]) for start in range(0, len(shuffled), size)]

    assert merged(parts) == merged([fold(events)])


def test_what_tells_no_fact_is_plain_and_keeps_every_sum() -> None:
    event = Row("1", "/orgs/a/bots/x", "a", "s", 0, 1.0, "bot.message.sent", False, b"{}")

    assert fold([event]).sessions["a", "s"].is_plain
    for type_ in TYPES[:2]:
        assert not fold([event._replace(type=type_, value=b'{"data":{"reason":"r"}}')]).sessions["a", "s"].is_plain
    assert not fold([event._replace(failed=True)]).sessions["a", "s"].is_plain
    assert set(SESSION.columns) - set(PLAIN.columns) == {
        column for rank in ("start_rank", "error_rank") for column in (rank, *SESSION.first[rank])
    } | {"end_rank", *SESSION.last["end_rank"]}
