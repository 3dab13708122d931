"""Single events are followed where counts alone would let a copy stand for another's loss."""

from collections import Counter

from headrace.core.columns import Cell
from headrace.core.trail import Step, Trail, misread, untraced
from headrace.model.tile import Count, Tile

A: Cell = ("a", "crm")
LOG: Cell = ("a", "log")


def tile(first: int, following: int, *counts: Count) -> Tile:
    return Tile(
        id="t",
        previous=None,
        topic="events",
        partition=0,
        first=first,
        next=following,
        records=following - first,
        at="2026-11-23T10:00:00.000Z",
        counts=list(counts),
    )


def trail(*steps: Step) -> Trail:
    found = Trail()
    for step in steps:
        found.add(step)
    return found


def test_two_copies_of_one_event_do_not_stand_for_two_events() -> None:
    moved = tile(0, 2, Count(org="a", destination="crm", tiers={"5s": 2}))
    found = trail(Step(A, 0, 10), Step(A, 0, 11))

    assert untraced(moved, found.from_main(range(2))) == Counter({A: 1})


def test_each_event_that_left_its_own_step_is_traced() -> None:
    moved = tile(0, 2, Count(org="a", destination="crm", tiers={"5s": 1}, dead={"gave_up": 1}))
    found = trail(Step(A, 0, 10), Step(A, 1, 11), Step(LOG, 1, 11))

    assert untraced(moved, found.from_main(range(2)))[A] == 0


def test_step_on_a_tier_is_traced_by_a_later_one() -> None:
    first, later = Step(A, 0, 1000), Step(A, 0, 6000)

    assert trail(first, later).from_tier([first]) == Counter({A: 1})
    assert trail(first, later).from_tier([later])[A] == 0
    assert trail(first).from_tier([first])[A] == 0


def test_clocks_of_two_brokers_may_differ_a_little() -> None:
    first, later = Step(A, 0, 1000), Step(A, 0, 900)

    assert trail(first, later).from_tier([first]) == Counter({A: 1})


def test_step_that_names_no_place_on_the_main_topic_is_taken_as_moved() -> None:
    """What a stranger wrote on a tier cannot be followed, and must not look lost."""
    step = Step(A, None, 10)

    assert trail(step).from_tier([step]) == Counter({A: 1})


def test_recount_of_a_main_tile_allows_for_routes_that_changed() -> None:
    counts = [Count(org="a", destination="crm", delivered=2), Count(org="a", destination="log", delivered=3)]

    assert misread(tile(0, 3, *counts), {"a": 3}, once=False) == {}
    assert misread(tile(0, 3, *counts), {"a": 5}, once=False) == {}
    assert misread(tile(0, 3, *counts), {"a": 2}, once=False) == {"a": (5, 2)}
    assert misread(tile(0, 3, *counts), {"a": 6}, once=False) == {"a": (5, 6)}


def test_recount_of_a_tier_is_exact() -> None:
    counted = tile(0, 3, Count(org="a", destination="crm", delivered=3))

    assert misread(counted, {"a": 3}, once=True) == {}
    assert misread(counted, {"a": 2, "b": 1}, once=True) == {"a": (3, 2), "b": (0, 1)}
