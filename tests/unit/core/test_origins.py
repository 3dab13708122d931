"""The sorted set of offsets, against Python's own set."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from headrace.core.origins import COMPACT_AT, Origins

OFFSETS = st.integers(0, 30)


@given(st.lists(OFFSETS))
def test_offsets_come_out_sorted_and_once(offsets: list[int]) -> None:
    origins = Origins(offsets)

    assert list(origins) == sorted(set(offsets))
    assert len(origins) == len(set(offsets))


def test_nothing_is_the_first_of_none() -> None:
    origins = Origins([7])
    origins.pop()

    assert not origins
    with pytest.raises(IndexError):
        _ = origins.first
    with pytest.raises(IndexError):
        origins.pop()


def test_what_was_taken_from_the_front_gives_its_place_back() -> None:
    origins = Origins(range(3 * COMPACT_AT))
    for _ in range(3 * COMPACT_AT - 1):
        origins.pop()

    assert list(origins) == [3 * COMPACT_AT - 1]
    assert len(origins._items) <= COMPACT_AT  # that memory is given back shows nowhere else


class Sorted(RuleBasedStateMachine):
    """Any use of it, beside a set."""

    def __init__(self) -> None:
        super().__init__()
        self.origins = Origins()
        self.model: set[int] = set()

    @rule(offset=OFFSETS)
    def add(self, offset: int) -> None:
        self.origins.add(offset)
        self.model.add(offset)

    @rule(offset=OFFSETS)
    def discard(self, offset: int) -> None:
        self.origins.discard(offset)
        self.model.discard(offset)

    @precondition(lambda self: self.model)
    @rule()
    def pop(self) -> None:
        assert self.origins.pop() == min(self.model)
        self.model.remove(min(self.model))

    @precondition(lambda self: self.model)
    @rule()
    def pop_and_put_back(self) -> None:
        """As a head that is posted and fails."""
        self.origins.add(self.origins.pop())

    @rule(offset=OFFSETS)
    def look(self, offset: int) -> None:
        assert (offset in self.origins) == (offset in self.model)

    @invariant()
    def both_hold_the_same(self) -> None:
        assert list(self.origins) == sorted(self.model)
        assert bool(self.origins) == bool(self.model)
        if self.model:
            assert self.origins.first == min(self.model)


TestSorted = Sorted.TestCase
TestSorted.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
