"""A lane that keeps order: one post per partition, and a room beside the queues."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.holds import EVERYTHING, Allowance, Key
from headrace.core.lanes import LaneLimits
from headrace.core.ordered_lane import OrderedLane
from headrace.core.runs import EVENT_OVERHEAD, Run
from headrace.model.destination import Destination
from headrace.testing.clock import FakeClock
from ordering import Stage

crm = Destination(name="crm", type="memory", settings=msgspec.Struct())
LIMITS = LaneLimits(batch_events=4, batch_bytes=100, linger=0.02, lane_events=6, lane_bytes=1 << 20, posts=4)
A, B = (0, b"acme/a"), (0, b"acme/b")


@pytest.fixture
def stage() -> Stage:
    return Stage(FakeClock(), crm)


def lane(*runs: Run, answered: bool = True) -> OrderedLane:
    opened = OrderedLane("acme", crm, LIMITS, Allowance(10))
    if answered:
        opened.pace.succeed(0.0, 0.0)
    for run in runs:
        opened.add(run)
    return opened


def names(runs: list[Run]) -> list[str]:
    return [each for run in runs for each in run.ids[run.start : run.stop]]


def test_a_partition_has_one_post_at_a_time(stage: Stage) -> None:
    full = lane(stage.fresh("a1 a2"), stage.fresh("c1 c2", partition=1), stage.fresh("a3 a4 a5 a6"))
    first = full.take()
    assert names(first) == ["a1", "a2", "c1", "c2"]
    full.add(stage.fresh("d1", partition=2))

    second = full.take()
    assert names(second) == ["d1"]
    assert full.take() == []
    full.land(first)
    assert names(full.take()) == ["a3", "a4", "a5", "a6"]


def test_a_lane_that_only_waits_for_its_posts_is_left_alone(stage: Stage) -> None:
    full = lane(stage.fresh("a1"))
    flight = full.take()
    full.add(stage.fresh("a2"))
    assert full.may_post()
    assert full.take() == []

    assert not full.may_post()
    full.land(flight)
    assert full.may_post()


def test_what_comes_in_wakes_a_lane_that_waits(stage: Stage) -> None:
    full = lane(stage.fresh("a1"))
    full.take()
    full.take()
    full.add(stage.fresh("c1", partition=1))

    assert full.may_post()
    assert names(full.take()) == ["c1"]


def test_the_room_takes_up_place_of_new_events_but_not_of_due_ones(stage: Stage) -> None:
    """What is due is what those in the room wait for."""
    full = lane()
    for place in range(6):
        assert full.let_wait(A, place, stage.fresh(f"a{place}"))

    assert full.is_full
    assert full.weight == 6 * (EVENT_OVERHEAD + 2)
    assert full.is_stuck(2.0, 1.0, is_due=False)
    assert not full.is_stuck(2.0, 1.0, is_due=True)
    assert not full.is_stuck(0.5, 1.0, is_due=False)


def test_a_crowded_lane_that_stands_still_sends_due_events_away_too(stage: Stage) -> None:
    full = lane(stage.fresh("a1 a2 a3 a4 a5 a6"))

    assert full.is_stuck(2.0, 1.0, is_due=True)
    assert not full.is_stuck(0.5, 1.0, is_due=True)


def test_an_event_waits_in_the_room_once(stage: Stage) -> None:
    full = lane()
    assert full.let_wait(A, 3, stage.fresh("a3"))
    assert not full.let_wait(A, 3, stage.due("a3"))

    assert full.weight == EVENT_OVERHEAD + 2
    assert names(full.let_out(A)) == ["a3"]
    assert full.weight == 0


def test_the_room_lets_events_out_in_the_order_of_their_origins(stage: Stage) -> None:
    full = lane()
    for name in ("a7", "a3", "a5", "b4"):
        full.let_wait((0, f"acme/{name[0]}".encode()), int(name[1:]), stage.due(name))

    assert full.let_out(A, 4) == []
    assert names(full.let_out(A, 5)) == ["a5"]
    assert names(full.let_out(A)) == ["a3", "a7"]
    assert full.let_out(A) == []
    assert list(full.room) == [B]


def test_a_partition_that_is_held_whole_has_one_room(stage: Stage) -> None:
    full, other = lane(), (1, b"acme/a")
    whole: Key = (0, EVERYTHING)
    for key, name in ((A, "a3"), (B, "b2"), (other, "a9")):
        full.let_wait(key, int(name[1:]), stage.due(name, partition=key[0]))
    full.merge_room(whole)

    assert {key: sorted(waiting) for key, waiting in full.room.items()} == {whole: [2, 3], other: [9]}
    assert names(full.let_out(whole)) == ["b2", "a3"]


def test_emptying_a_lane_empties_its_room(stage: Stage) -> None:
    full = lane(stage.due("a1"), stage.fresh("b2"))
    full.let_wait(A, 3, stage.fresh("a3"))

    assert names(full.clear()) == ["a1", "b2", "a3"]
    assert (full.weight, full.room, full.is_full) == (0, {}, False)


def test_what_left_with_its_partition_comes_out_nowhere(stage: Stage) -> None:
    full = lane(stage.due("a1"), stage.fresh("b2"))
    full.let_wait(A, 3, stage.fresh("a3"))
    stage.leave()
    full.add(stage.fresh("b2 b4"))

    assert names(full.clear()) == ["b2", "b4"]
    assert full.weight == 0


def test_a_lane_is_as_old_as_what_waits_longest_in_it(stage: Stage) -> None:
    full = lane()
    assert full.waited(9.0) == 0.0
    full.let_wait(A, 3, stage.fresh("a3"))
    assert full.waited(9.0) == 9.0


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), max_size=6), st.integers(0, 1), st.data())
def test_pulling_takes_what_is_meant_and_keeps_the_order_of_all(
    sessions: list[list[str]], partition: int, data: st.DataObject
) -> None:
    stage, place = Stage(FakeClock(), crm), 0
    full = lane()
    for run in sessions:
        split = [f"{session}{place + at}" for at, session in enumerate(run)]
        make = data.draw(st.sampled_from((stage.fresh, stage.due)))
        full.add(make(" ".join(split), partition=data.draw(st.integers(0, 1))))
        place += len(split)
    before = names([*full.due, *full.fresh])
    mine = {each for run in (*full.due, *full.fresh) if run.partition == partition for each in names([run])}
    weight = full.weight

    pulled = full.pull(partition, lambda run, at: run.ids[at][0] == "a")

    left = names([*full.due, *full.fresh])
    assert names(pulled) == [each for each in before if each in mine and each[0] == "a"]
    assert left == [each for each in before if each not in mine or each[0] != "a"]
    assert full.weight + sum(run.weight for run in pulled) == weight
    assert full.events == len(left)


def test_nothing_that_is_in_flight_is_pulled(stage: Stage) -> None:
    full = lane(stage.fresh("a1"))
    flight = full.take()
    full.add(stage.fresh("a2"))

    assert names(full.pull(0, lambda run, at: True)) == ["a2"]
    assert full.flying == {0: flight}


def test_one_post_at_a_time_until_the_destination_has_answered(stage: Stage) -> None:
    full = lane(stage.fresh("a1"), answered=False)
    full.take()
    full.posts = 1
    full.add(stage.fresh("c1", partition=1))
    assert not full.may_post()
    full.pace.succeed(0.0, 0.0)
    assert full.may_post()
