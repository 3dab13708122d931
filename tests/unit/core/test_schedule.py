"""The retry schedule: which tier, and when an event is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.schedule import RetrySchedule
from headrace.model.units import Duration

TIERS = [Duration(5), Duration(30), Duration(300), Duration(3600)]
schedule = RetrySchedule(TIERS, Duration(86_400))

ladders = st.lists(st.integers(1, 100_000), min_size=1, max_size=6, unique=True).map(
    lambda seconds: RetrySchedule([Duration(each) for each in sorted(seconds)], Duration(1e6))
)


@pytest.mark.parametrize(("attempts", "tier"), [(1, 5), (2, 30), (3, 300), (4, 3600), (5, 3600), (99, 3600)])
def test_after_walks_the_tiers_and_repeats_the_last(attempts: int, tier: float) -> None:
    assert schedule.after(attempts) == tier


@pytest.mark.parametrize(("span", "tier"), [(0, 5), (4.9, 5), (5, 5), (29.9, 5), (30, 30), (3599, 300), (1e9, 3600)])
def test_within_is_the_longest_tier_not_longer_than_the_span(span: float, tier: float) -> None:
    assert schedule.within(span) == tier


@given(ladders, st.integers(1, 50))
def test_after_never_gets_shorter(ladder: RetrySchedule, attempts: int) -> None:
    assert ladder.after(attempts) <= ladder.after(attempts + 1)


@given(ladders, st.floats(0, 1e6))
def test_within_never_exceeds_the_span_but_for_the_first_tier(ladder: RetrySchedule, span: float) -> None:
    tier = ladder.within(span)

    assert tier in ladder.tiers
    assert tier <= span or tier == ladder.first


def test_an_event_is_given_up_at_its_age_and_not_before() -> None:
    assert not schedule.gives_up(1000.0, 1000.0 + 86_399)
    assert schedule.gives_up(1000.0, 1000.0 + 86_400)


@pytest.mark.parametrize("tiers", [[], [5, 5], [30, 5]])
def test_tiers_that_do_not_ascend_are_refused(tiers: list[float]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        RetrySchedule([Duration(each) for each in tiers], Duration(60))
