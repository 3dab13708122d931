"""Executors and their shares."""

from hypothesis import given
from hypothesis import strategies as st

from headrace.core.shares import Shares


def test_hanging_destinations_share_a_quarter() -> None:
    shares = Shares(8)
    shares.start(suspect=True)
    shares.start(suspect=True)

    assert not shares.admits(suspect=True)
    assert shares.admits(suspect=False)


def test_one_executor_still_serves_a_suspect() -> None:
    assert Shares(1).admits(suspect=True)


def test_a_post_that_turns_out_to_hang_counts_from_then_on() -> None:
    shares = Shares(8)
    for _ in range(3):
        shares.start(suspect=False)

    assert [shares.suspect(), shares.suspect(), shares.suspect()] == [False, False, True]


@given(st.integers(1, 100), st.lists(st.booleans(), max_size=300))
def test_suspects_never_take_what_the_others_need(executors: int, wishes: list[bool]) -> None:
    shares = Shares(executors)
    for suspect in wishes:
        if shares.admits(suspect=suspect):
            shares.start(suspect=suspect)

    assert shares.busy <= executors
    assert shares.hanging <= max(1, executors // 4)
