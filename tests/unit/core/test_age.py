"""How old an event is, by its id, by Kafka's time, or by its first failure."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.age import BEYOND, age_of
from headrace.core.runs import Assignment, Chunk, Run
from headrace.emitter.stamp import Stamper
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.record import Header, Origin, TopicPartition

NOW = 1_764_000_000.0
CRM = Destination(name="crm", type="memory", settings=msgspec.Struct())


class Timed:
    """A record of which only its time is asked."""

    def __init__(self, kind: int, at: float) -> None:
        self._timestamp = (kind, int(at * 1000))

    def timestamp(self) -> tuple[int, int]:
        return self._timestamp

    def topic(self) -> str:
        return "events"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return None

    def headers(self) -> Sequence[Header] | None:
        return None


def run(*ids: str, kafka: float = NOW - 5, kind: int = 1, failed: float | None = None) -> Run:
    chunk = Chunk(Assignment(TopicPartition("events", 0)), 0, len(ids), len(ids))
    mark = None
    if failed is not None:
        origin = Origin("events", 0, 0)
        told = {"destination": "crm", "origin": origin, "attempts": 1, "due_at": 0.0, "reason": "failed"}
        mark = [msgspec.convert({**told, "first_failed_at": failed}, Mark, strict=False)] * len(ids)
    records = [Timed(kind, kafka)] * len(ids)
    return Run(chunk, "acme", CRM, records, list(ids), [b"{}"] * len(ids), mark, 2, 0.0)


def uuid7(at: float) -> str:
    return Stamper(lambda: int(at * 1_000_000_000))()[0]


def test_an_id_of_an_emitter_tells_when_the_event_was_emitted() -> None:
    assert age_of(run(uuid7(NOW - 60)), NOW) == pytest.approx(60, abs=0.002)


def test_a_run_is_as_old_as_the_first_that_is_left_in_it() -> None:
    cut = run(uuid7(NOW - 60), uuid7(NOW - 10))
    cut.cut(1)

    assert age_of(cut, NOW) == pytest.approx(10, abs=0.002)


@pytest.mark.parametrize("other", ["17", "9f8a", uuid7(NOW + 100), uuid7(NOW - BEYOND - 1), "é" * 36, "-" * 36])
def test_another_id_leaves_it_to_kafka(other: str) -> None:
    assert age_of(run(other), NOW) == 5


def test_on_a_tier_kafka_s_time_is_that_of_the_last_hop_so_the_first_failure_counts() -> None:
    assert age_of(run("17", failed=NOW - 900), NOW) == 900


def test_where_nothing_tells_it_it_is_not_known() -> None:
    assert age_of(run("17", kind=0), NOW) is None


def test_clocks_that_differ_make_no_event_younger_than_new() -> None:
    assert age_of(run(uuid7(NOW + 0.5)), NOW) == 0


@given(st.text(max_size=40) | st.from_regex(r"[0-9a-f_]{8}-[0-9a-f_]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"))
def test_no_id_breaks_it(id_: str) -> None:
    age = age_of(run(id_), NOW)

    assert age is not None
    assert 0 <= age <= BEYOND
