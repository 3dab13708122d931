"""Runs, lanes, and how a batch is cut."""

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.lanes import Lane, LaneLimits
from headrace.core.runs import EVENT_OVERHEAD, Assignment, Chunk, Run
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.record import Origin, TopicPartition

crm = Destination(name="crm", type="memory", settings=msgspec.Struct())
LIMITS = LaneLimits(batch_events=10, batch_bytes=100, linger=0.02, lane_events=50, lane_bytes=1 << 20, posts=4)


def chunk() -> Chunk:
    return Chunk(Assignment(TopicPartition("events", 0)), 0, 1000, 1000)


def mark(attempts: int) -> Mark:
    origin = Origin("events", 0, 0)
    return Mark(destination="crm", origin=origin, attempts=attempts, first_failed_at=0.0, due_at=0.0, reason="failed")


def run(sizes: Sequence[int], at: float = 0.0, attempts: int | None = None, names: str = "e") -> Run:
    values = [b"x" * size for size in sizes]
    ids = [f"{names}{index}" for index in range(len(sizes))]
    marks = [mark(attempts) for _ in sizes] if attempts is not None else None
    return Run(chunk(), "acme", crm, [], ids, values, marks, sum(sizes), at)


def lane(*runs: Run) -> Lane:
    made = Lane("acme", crm, LIMITS)
    for each in runs:
        made.add(each)
    return made


def ids(taken: Sequence[Run]) -> list[str]:
    return [each for part in taken for each in part.ids[part.start : part.stop]]


def test_a_batch_is_cut_at_its_events() -> None:
    assert list(map(len, [lane(run([1] * 25)).take()[0]])) == [10]


def test_a_batch_is_cut_at_its_bytes() -> None:
    assert ids(lane(run([40, 40, 40])).take()) == ["e0", "e1"]


def test_an_event_above_the_bytes_goes_alone() -> None:
    big = lane(run([500, 1]))

    assert ids(big.take()) == ["e0"]
    assert ids(big.take()) == ["e1"]


def test_due_events_go_before_new_ones() -> None:
    both = lane(run([1], names="new"), run([1], attempts=1, names="due"))

    assert ids(both.take()) == ["due0", "new0"]


def test_events_that_failed_often_go_in_ever_smaller_batches() -> None:
    sizes = [len(lane(run([1] * 20, attempts=attempts)).take()[0]) for attempts in (0, 1, 2, 3, 4, 9)]

    assert sizes == [10, 10, 5, 2, 1, 1]


def test_runs_of_a_partition_that_leaves_fall_out() -> None:
    gone, stays = run([1, 1], names="gone"), run([1], names="stays")
    both = lane(gone, stays)
    gone.chunk.assignment.is_leaving = True

    assert ids(both.take()) == ["stays0"]
    assert (both.events, both.weight) == (0, 0)


def test_a_lane_is_ripe_when_its_oldest_event_has_waited() -> None:
    waiting = lane(run([1], at=100.0))

    assert not waiting.is_ripe(100.01)
    assert waiting.is_ripe(100.03)


def test_a_lane_is_ripe_at_once_with_enough_for_a_batch() -> None:
    assert lane(run([1] * 10, at=100.0)).is_ripe(100.0)


def test_a_lane_is_full_at_its_events_and_at_its_bytes() -> None:
    assert lane(run([1] * 50)).is_full
    assert not lane(run([1] * 49)).is_full
    assert lane(run([1 << 20])).is_full


def test_until_the_destination_answered_there_is_one_post_at_a_time() -> None:
    fresh = lane(run([1]))
    fresh.posts = 1
    assert not fresh.may_post()

    fresh.pace.succeed(0.0, took=0.01)

    assert fresh.may_post()


@given(st.lists(st.lists(st.integers(0, 150), min_size=1, max_size=30), max_size=8), st.booleans())
def test_batches_keep_limits_order_and_every_event(chunks: list[list[int]], due: bool) -> None:
    runs = [run(sizes, attempts=1 if due else None, names=f"{n}-") for n, sizes in enumerate(chunks)]
    everything = ids(runs)
    full = lane(*runs)
    seen: list[str] = []
    while full.events:
        taken = full.take()
        events = ids(taken)
        seen += events

        assert 1 <= len(events) <= LIMITS.batch_events
        assert sum(part.size for part in taken) <= LIMITS.batch_bytes or len(events) == 1
        assert all(part.size == sum(map(len, part.values[part.start : part.stop])) for part in taken)

    assert seen == everything
    assert full.weight == 0


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30), st.data())
def test_cutting_a_run_loses_nothing(sizes: list[int], data: st.DataObject) -> None:
    whole = run(sizes)
    weight = whole.weight
    head = whole.cut(data.draw(st.integers(1, len(sizes) - 1)))

    assert ids([head, whole]) == [f"e{index}" for index in range(len(sizes))]
    assert head.weight + whole.weight == weight
    assert head.weight >= EVENT_OVERHEAD
