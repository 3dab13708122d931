"""Which tiles count: the chain back from the committed offset."""

from headrace.core.chain import Chain, Gap, Uncovered, follow, judge
from headrace.model.tile import Tile


def tile(name: str, first: int, following: int, previous: str | None = None) -> Tile:
    return Tile(
        id=name,
        previous=previous,
        topic="events",
        partition=0,
        first=first,
        next=following,
        records=following - first,
        at="2026-11-23T10:00:00.000Z",
        counts=[],
    )


A = tile("a", 0, 10)
B = tile("b", 10, 20, "a")
C = tile("c", 20, 30, "b")


def test_nothing_committed_is_an_empty_chain() -> None:
    assert follow(0, "", [A]) == Chain([], [])


def test_chain_goes_back_by_names_from_the_commit() -> None:
    assert follow(30, "c", [A, B, C]) == Chain([A, B, C], [])


def test_late_tile_of_a_frozen_worker_is_in_no_chain() -> None:
    late = tile("late", 10, 15, "a")

    assert follow(30, "c", [A, B, C, late]).tiles == [A, B, C]


def test_tile_that_was_written_but_never_committed_does_not_count() -> None:
    assert follow(20, "b", [A, B, C]).tiles == [A, B]


def test_missing_tile_leaves_a_gap() -> None:
    assert follow(30, "c", [A, C]) == Chain([A, C], [Gap(10, 20, is_named=True)])


def test_missing_tile_leaves_a_gap_even_where_a_late_tile_covers_the_same_offsets() -> None:
    late = tile("late", 10, 20, "a")

    assert follow(30, "c", [A, C, late]).gaps == [Gap(10, 20, is_named=True)]


def test_late_tile_before_a_gap_does_not_hide_all_of_it() -> None:
    late = tile("late", 10, 18, "a")

    assert follow(30, "c", [A, C, late]) == Chain([A, late, C], [Gap(18, 20, is_named=True)])


def test_missing_first_tile_leaves_an_opening_gap() -> None:
    assert follow(30, "c", [B, C]) == Chain([B, C], [Gap(0, 10, is_opening=True, is_named=True)])


def test_missing_last_tile_is_missed_by_the_commit_that_names_it() -> None:
    assert follow(30, "c", [A, B]) == Chain([A, B], [Gap(20, 30, is_named=True)])


def test_commit_that_names_no_tile_is_covered_by_what_ends_there() -> None:
    """An operator may reset the group to an offset without metadata."""
    assert follow(20, "", [A, B, C]) == Chain([A, B], [])


def test_skipped_offsets_are_a_gap_that_no_tile_covered() -> None:
    assert follow(45, "", [A, B, C]).gaps == [Gap(30, 45)]


def test_tile_that_begins_later_than_its_predecessor_ends_leaves_a_gap() -> None:
    after = tile("d", 35, 40, "c")

    assert follow(40, "d", [A, B, C, after]) == Chain([A, B, C, after], [Gap(30, 35)])


def test_tile_without_offsets_is_passed_over() -> None:
    """A document that somebody else wrote must not make the walk endless."""
    empty = tile("e", 10, 10, "e")

    assert follow(10, "e", [A, empty]) == Chain([A], [])


def test_oldest_offsets_expire_with_their_tiles() -> None:
    gap = Gap(0, 100, is_opening=True, is_named=True)

    assert judge(gap, 60) == Uncovered(60, 0, range(60, 100))
    assert judge(gap, 200) == Uncovered(100, 0, range(200, 200))


def test_opening_that_no_tile_ever_covered_is_gone() -> None:
    assert judge(Gap(0, 100, is_opening=True), 60) == Uncovered(0, 60, range(60, 100))


def test_gap_between_tiles_never_expires() -> None:
    assert judge(Gap(40, 100, is_named=True), 60) == Uncovered(0, 20, range(60, 100))
