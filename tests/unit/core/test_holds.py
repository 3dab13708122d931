"""One held session, and the table of them."""

import pytest

from headrace.core.holds import EVERYTHING, Allowance, Hold, Holds, Key, Turn
from headrace.model.units import Duration

TIER, LATER_TIER = Duration(5), Duration(30)
A, B, C = (0, b"acme/a"), (0, b"acme/b"), (1, b"acme/c")


def held(*origins: int, posted: int = 0) -> Hold:
    """Hold a session whose events stand on a tier; *posted* of them, the first, were posted before."""
    hold = Hold()
    for place, origin in enumerate(origins):
        hold.put(origin, TIER, posted=place < posted)
    return hold


def nothing(_: Key) -> set[int]:
    return set()


def table(*keys: Key, allowance: int = 10) -> tuple[Holds, Allowance]:
    """Hold the event 1 of each of *keys*."""
    allowed = Allowance(allowance)
    holds = Holds(allowed)
    for key in keys:
        hold_one(holds, key)
    return holds, allowed


def hold_one(holds: Holds, key: Key, origin: int = 1, fresh: frozenset[int] = frozenset()) -> tuple[Key, Hold]:
    found, hold = holds.begin(key, lambda _: set(fresh))
    hold.put(origin, TIER, posted=False)
    holds.note(found, hold)
    return found, hold


def test_an_event_that_was_posted_goes_when_it_is_due_and_not_early() -> None:
    hold = held(3, posted=1)

    assert hold.turn_of_due(3, early=True) is Turn.LATER
    assert hold.turn_of_due(3) is Turn.GO


def test_one_behind_hops_to_the_tier_of_the_first() -> None:
    hold = held(3, 5, posted=1)
    hold.put(3, LATER_TIER, posted=True)

    assert hold.turn_of_due(5) is Turn.HOP
    assert hold.turn_of_fresh(7) is Turn.HOP
    assert hold.tier == LATER_TIER


def test_one_behind_may_follow_the_first_into_the_lane() -> None:
    hold = held(3, 5, posted=2)

    assert [hold.turn_of_due(3), hold.turn_of_due(5)] == [Turn.GO, Turn.GO]
    assert hold.turn_of_fresh(7) is Turn.GO


def test_followers_that_were_never_posted_are_read_ahead_once_the_first_is_gone() -> None:
    hold = held(3, 5, 7, posted=1)
    assert not hold.is_draining
    hold.turn_of_due(3)
    assert not hold.is_draining, "what is posted once more may come back"
    hold.gone(3)

    assert hold.is_draining
    assert [hold.turn_of_due(5, early=True), hold.turn_of_due(7, early=True)] == [Turn.GO, Turn.GO]


def test_new_events_of_a_draining_session_wait_in_the_lane() -> None:
    hold = held(5, 7)

    assert hold.turn_of_fresh(9) is Turn.WAIT
    assert hold.turn_of_due(7) is Turn.WAIT


def test_those_who_wait_go_once_all_that_is_before_them_went() -> None:
    hold = held(1, 5)
    assert [hold.turn_of_fresh(origin) for origin in (3, 7)] == [Turn.WAIT, Turn.WAIT]
    assert hold.let_in({3, 7}) is None
    assert hold.turn_of_due(1) is Turn.GO

    assert hold.turn_of_due(5) is Turn.WAIT, "one that waits is before it"
    assert hold.let_in({3, 7}) == 3
    assert hold.let_in({7}) is None
    assert (hold.fresh, hold.is_draining) == ({3}, False)
    hold.gone(3)
    assert hold.turn_of_due(5) is Turn.GO
    assert hold.let_in({7}) == 7


def test_what_was_polled_anew_takes_the_place_of_its_copy_on_a_tier() -> None:
    hold = held(5, 7)
    assert hold.turn_of_fresh(5) is Turn.WAIT

    assert hold.let_in({5}) == 5
    assert (hold.due, list(hold.away)) == ({5}, [7])
    assert hold.let_in(set()) is None


def test_one_who_waited_and_hopped_waits_no_more() -> None:
    hold = held(1)
    hold.turn_of_fresh(3)
    hold.put(3, TIER, posted=False)
    hold.turn_of_due(1)

    assert hold.turn_of_due(3) is Turn.GO


def test_nothing_from_a_tier_goes_before_new_events_that_are_under_way() -> None:
    """An event in the lane may be before the one on the tier: a crash set the poll back, or the lane was full."""
    hold = held(5)

    assert hold.turn_of_fresh(3) is Turn.GO
    assert hold.turn_of_due(5) is Turn.HOP
    assert hold.turn_of_due(5, early=True) is Turn.LATER
    hold.gone(3)
    assert hold.turn_of_due(5) is Turn.GO


def test_a_copy_that_a_crash_left_goes_its_way_when_it_is_due() -> None:
    hold = held(5)

    assert hold.turn_of_due(3, early=True) is Turn.LATER
    assert hold.turn_of_due(3) is Turn.GO
    assert list(hold.away) == [5]


def test_the_tier_of_a_session_is_that_of_its_first_event() -> None:
    hold = held(5)
    hold.put(7, LATER_TIER, posted=False)
    assert hold.tier == TIER
    hold.put(3, LATER_TIER, posted=False)
    assert hold.tier == LATER_TIER


def test_a_session_is_over_when_nothing_of_it_may_come_back_from_a_tier() -> None:
    hold = held(3)
    assert not hold.is_over
    hold.turn_of_due(3)
    assert not hold.is_over
    hold.gone(3)
    assert hold.is_over


def test_an_event_that_failed_again_drains_nothing() -> None:
    hold = held(3, 5)
    hold.turn_of_due(3)
    hold.put(3, TIER, posted=True)

    assert not hold.is_draining
    assert hold.turn_of_due(5, early=True) is Turn.LATER


def test_a_session_that_is_over_is_forgotten() -> None:
    holds, allowance = table(A)
    hold = holds.get(A)
    assert hold is not None
    assert (len(holds), allowance.left, holds.draining[0]) == (1, 9, 1)

    hold.gone(1)
    holds.note(A, hold)

    assert (len(holds), allowance.left, holds.draining[0]) == (0, 10, 0)


def test_the_table_counts_sessions_that_drain_by_partition() -> None:
    holds, _ = table(A, B, C)
    hold = holds.get(B)
    assert hold is not None
    hold.put(1, TIER, posted=True)
    holds.note(B, hold)
    holds.note(B, hold)

    assert holds.draining == {0: 1, 1: 1}


def test_beyond_the_allowance_a_partition_is_held_whole() -> None:
    holds, allowance = table(A, C, allowance=2)
    found, hold = hold_one(holds, B, origin=8, fresh=frozenset({6}))

    assert found == (0, EVERYTHING)
    assert holds.find(A) == holds.find(B) == holds.find((0, b"acme/z")) == (found, hold)
    assert (list(hold.away), hold.fresh) == ([1, 8], {6})
    assert holds.find(C)[0] == C, "other partitions are held as they were"
    assert allowance.left == 0


def test_a_whole_partition_keeps_what_its_sessions_knew() -> None:
    holds, _ = table(allowance=1)
    _, hold = hold_one(holds, A, origin=4)
    hold.put(2, LATER_TIER, posted=True)
    hold.turn_of_due(2)
    hold.fresh.add(9)
    hold.waiting.add(11)
    _, whole = hold_one(holds, B, origin=7)

    assert (list(whole.away), whole.due, whole.fresh, whole.posted) == ([4, 7], {2}, {9}, {2})
    assert list(whole.waiting) == [11]
    assert not whole.is_draining
    whole.gone(9)
    whole.gone(2)
    assert whole.is_draining


def test_the_whole_is_held_at_the_tier_of_its_first_event() -> None:
    holds, _ = table(allowance=1)
    _, hold = holds.begin(A, nothing)
    hold.put(4, LATER_TIER, posted=True)
    found, whole = holds.begin(B, nothing)
    whole.put(7, TIER, posted=False)

    assert whole.tier == LATER_TIER
    whole.gone(4)
    holds.note(found, whole)
    assert whole.is_draining


def test_a_partition_that_was_held_whole_is_released_whole() -> None:
    holds, allowance = table(A, allowance=1)
    found, whole = hold_one(holds, B, origin=8)
    for origin in (1, 8):
        whole.gone(origin)
    holds.note(found, whole)

    assert holds.find(A) == (A, None)
    assert (len(holds), allowance.left, holds.draining[0]) == (0, 1, 0)


@pytest.mark.parametrize("key", [b"", b"*", b"\x00*", b"None"])
def test_no_key_of_a_record_stands_for_everything(key: bytes) -> None:
    holds, _ = table((0, key))

    assert holds.find(A) == (A, None)


def test_what_is_held_of_a_partition_goes_with_it() -> None:
    holds, allowance = table(A, B, C)
    holds.forget(0)

    assert (len(holds), allowance.left, holds.draining[0], holds.draining[1]) == (1, 9, 0, 1)
