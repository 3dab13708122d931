"""The books of one partition number, entry by entry. (Over random rivers: test_ledger_river.)"""

from collections import Counter
from collections.abc import Mapping, Sequence

from headrace.core.chain import Chain, Gap
from headrace.core.columns import Account, Cell, Columns, Problem, Tally
from headrace.core.ledger import Deaths, Graves, Log, balance
from headrace.core.sheet import hour
from headrace.model.mark import DeadReason
from headrace.model.tile import Count, Redriven, RedriveNote, Tile

A: Cell = ("a", "crm")
B: Cell = ("b", "crm")
NOBODYS: Cell = ("-", "-")
GAVE_UP: Mapping[DeadReason, int] = {"gave_up": 1}


def tile(first: int, following: int, *counts: Count, at: str = "2026-11-23T10:00:00.000Z") -> Tile:
    return Tile(
        id=f"{first}",
        previous=None,
        topic="t",
        partition=0,
        first=first,
        next=following,
        records=following - first,
        at=at,
        counts=list(counts),
    )


def count(
    cell: Cell, delivered: int = 0, tiers: Mapping[str, int] | None = None, dead: Mapping[DeadReason, int] | None = None
) -> Count:
    return Count(org=cell[0], destination=cell[1], delivered=delivered, tiers=dict(tiers or {}), dead=dict(dead or {}))


def log(
    tier: str | None = None,
    *tiles: Tile,
    start: int = 0,
    tail: Tally | None = None,
    gaps: Sequence[Gap] = (),
    held: Sequence[Tally] = (),
    committed: int | None = None,
) -> Log:
    upto = tiles[-1].next if tiles else 0
    return Log(
        topic=f"retry.{tier}" if tier else "events",
        partition=0,
        tier=tier,
        start=start,
        committed=upto if committed is None else committed,
        chain=Chain(tiles, gaps),
        tail=tail or Counter(),
        uncovered=held or [Counter() for _ in gaps],
    )


def graves(*cells: Cell, start: int = 0, died: float = 0.0) -> Graves:
    letters = Deaths((hour(died), cell) for cell in cells)
    return Graves(topic="dead", partition=0, start=start, next=start + len(cells), letters=letters)


def note(offset: int, cell: Cell, *made: Cell, at: str = "2026-11-23T11:00:00.000Z") -> RedriveNote:
    records = [Redriven(org=org, destination=destination, tier="5s") for org, destination in made]
    return RedriveNote(
        topic="dead", partition=0, offset=offset, org=cell[0], destination=cell[1], at=at, records=records
    )


def texts(account: Account) -> list[str]:
    return [problem.text for problem in account.problems]


def test_every_column_counts_what_it_is_named_after() -> None:
    main = log(None, tile(0, 6, count(A, 3, {"5s": 2}, GAVE_UP)), tail=Counter({B: 1}))
    tier = log("5s", tile(0, 1, count(A, 1)), tail=Counter({A: 1}))

    account = balance(main, [tier], graves(A), [])

    assert account.cells[A] == Columns(accepted=6, delivered=4, rejected=1, retrying=1, retried=2)
    assert account.cells[B] == Columns(accepted=1, in_flight=1)
    assert account.total().is_balanced


def test_tier_that_holds_less_than_was_put_there_has_lost() -> None:
    account = balance(log(None, tile(0, 2, count(A, 0, {"5s": 2}))), [log("5s", tail=Counter({A: 1}))], graves(), [])

    assert account.cells[A].lost == 1
    assert account.problems == [Problem("a", "retry.5s/0: missing records of the org a for crm: 1")]
    assert not account.total().is_balanced


def test_tier_without_a_topic_has_lost_all_that_was_put_there() -> None:
    account = balance(log(None, tile(0, 2, count(A, 0, {"1h": 2}))), [], graves(), [])

    assert account.cells[A].lost == 2


def test_one_orgs_copy_does_not_hide_anothers_loss() -> None:
    main = log(None, tile(0, 2, count(A, 0, {"5s": 1}), count(B, 0, {"5s": 1})))

    account = balance(main, [log("5s", tail=Counter({A: 2}))], graves(), [])

    assert (account.cells[A].duplicates, account.cells[B].lost) == (1, 1)


def test_dead_letter_that_is_not_there_is_lost() -> None:
    account = balance(log(None, tile(0, 1, count(A, 0, None, GAVE_UP))), [], graves(), [])

    assert account.cells[A] == Columns(accepted=1, lost=1)


def test_copy_of_a_dead_letter_is_rejected_and_a_duplicate() -> None:
    account = balance(log(None, tile(0, 1, count(A, 0, None, GAVE_UP))), [], graves(A, A), [])

    assert account.cells[A] == Columns(accepted=1, rejected=2, duplicates=1)
    assert account.total().is_balanced


def test_records_that_a_tile_leaves_uncounted_are_lost() -> None:
    account = balance(log(None, tile(0, 5, count(A, 3))), [], graves(), [])

    assert account.total() == Columns(accepted=5, delivered=3, lost=2)
    assert texts(account) == ["events/0: the tile of the offsets 0 to 4 does not say what became of 2 records"]


def test_redrive_of_an_orgs_letter_moves_it_back_to_a_tier() -> None:
    main = log(None, tile(0, 1, count(A, 0, None, GAVE_UP)))

    account = balance(main, [log("5s", tail=Counter({A: 1}))], graves(A), [note(0, A, A)])

    assert account.total() == Columns(accepted=1, retrying=1, retried=1)


def test_redrive_of_nobodys_letter_accepts_one_record_per_destination() -> None:
    main = log(None, tile(0, 1, count(NOBODYS, 0, None, {"no_route": 1})))
    tier = log("5s", tail=Counter({A: 1, ("a", "log"): 1}))

    account = balance(main, [tier], graves(NOBODYS), [note(0, NOBODYS, A, ("a", "log"))])

    assert account.cells[NOBODYS] == Columns()
    assert account.total() == Columns(accepted=2, retrying=2, retried=2)
    assert account.total().is_balanced


def test_second_note_about_a_letter_shows_its_record_as_a_duplicate() -> None:
    """Two operators may redrive the same letter at once."""
    main = log(None, tile(0, 1, count(A, 0, None, GAVE_UP)))

    notes = [note(0, A, A), note(0, A, ("a", "log"))]

    account = balance(main, [log("5s", tail=Counter({A: 1, ("a", "log"): 1}))], graves(A), notes)

    assert account.cells[A] == Columns(accepted=1, retrying=1, retried=1)
    assert account.cells["a", "log"] == Columns(retrying=1, duplicates=1)


def test_head_deleted_before_it_was_settled_is_lost_with_its_range() -> None:
    account = balance(log(None, tile(0, 10, count(A, 10)), start=15), [], graves(), [])

    assert account.total() == Columns(accepted=15, delivered=10, lost=5, expired=10)
    assert texts(account) == ["events/0: the offsets 10 to 14 were deleted before they were settled"]


def test_head_of_a_tier_deleted_before_it_was_settled_is_lost_by_org() -> None:
    account = balance(log(None, tile(0, 3, count(A, 0, {"5s": 3}))), [log("5s", start=3)], graves(), [])

    assert account.cells[A].lost == 3
    assert account.total() == Columns(accepted=3, lost=3, retried=3)


def test_deleted_copies_that_no_tile_counted_are_lost_and_duplicates() -> None:
    """What a crashed worker put on a tier, deleted before anybody read it."""
    account = balance(log(None), [log("5s", start=2)], graves(), [])

    assert account.total() == Columns(lost=2, duplicates=2)
    assert not account.total().is_balanced


def test_uncovered_records_are_lost_by_org() -> None:
    main = log(
        None, tile(10, 20, count(A, 10)), gaps=[Gap(0, 10, is_opening=True, is_named=True)], held=[Counter({B: 10})]
    )

    account = balance(main, [], graves(), [])

    assert account.cells[B] == Columns(accepted=10, lost=10)
    assert texts(account) == ["events/0: no counting tile covers the offsets 0 to 9"]


def test_offsets_without_records_are_no_loss() -> None:
    """The markers of a transactional producer take offsets."""
    account = balance(
        log(None, tile(0, 10, count(A, 10)), tile(11, 12, count(A, 1)), gaps=[Gap(10, 11)]), [], graves(), []
    )

    assert account.total() == Columns(accepted=11, delivered=11)
    assert not account.problems


def test_expired_letters_leave_the_sum() -> None:
    main = log(None, tile(0, 3, count(A, 0, None, {"gave_up": 3})))

    account = balance(main, [], graves(A, start=2, died=2_000_000_000.0), [])

    assert account.cells[A] == Columns(accepted=1, rejected=1, expired=2)
    assert account.total().is_balanced


def test_expired_letter_that_was_redriven_stays_where_it_went() -> None:
    main = log(None, tile(0, 1, count(A, 0, None, GAVE_UP)))

    account = balance(main, [log("5s", tile(0, 1, count(A, 1)))], graves(start=1), [note(0, A, A)])

    assert account.total() == Columns(accepted=1, delivered=1, retried=1)


def test_letter_missing_long_after_retention_deleted_others_is_lost() -> None:
    """What retention deletes is old: older than the oldest letter that is held."""
    main = log(None, tile(0, 2, count(A, 0, None, GAVE_UP), count(A, 1), at="2026-11-23T10:00:00.000Z"))

    account = balance(main, [], graves(B, start=9, died=1_700_000_000.0), [])

    assert account.cells[A].lost == 1


OPENING = Gap(0, 100, is_opening=True, is_named=True)
OLD, EDGE, LATER = "2026-11-01T10:00:00.000Z", "2026-11-01T20:00:00.000Z", "2026-11-09T10:00:00.000Z"


def test_books_begin_at_one_moment_for_all_topics_of_a_partition() -> None:
    """The tier's oldest tiles expired ten hours after the main topic's: those hours are outside the sum."""
    main = log(None, tile(0, 5, count(A, 0, {"5s": 5}), at=OLD), tile(5, 8, count(A, 3), at=LATER), start=5)
    tier = log("5s", tile(100, 101, count(A, 1), at=EDGE), start=100, gaps=[OPENING])

    account = balance(main, [tier], graves(), [])

    assert account.total() == Columns(accepted=4, delivered=4, expired=105)
    assert account.total().is_balanced


def test_record_put_on_a_tier_before_the_books_begin_is_no_duplicate() -> None:
    main = log(None, tile(100, 103, count(A, 3), at=EDGE), start=100, gaps=[OPENING])
    tier = log("5s", tile(0, 2, count(A, 2), at=EDGE))

    account = balance(main, [tier], graves(), [])

    assert account.total() == Columns(accepted=5, delivered=5, expired=100)


def test_record_taken_from_a_tier_before_the_books_begin_is_expired() -> None:
    main = log(None, tile(0, 1, count(A, 0, {"5s": 1}), at=EDGE))
    tier = log("5s", tile(100, 103, count(A, 3), at=EDGE), start=100, gaps=[OPENING])

    account = balance(main, [tier], graves(), [])

    assert account.total().is_balanced
    assert account.total().lost == 0


def test_loss_well_after_the_books_begin_is_a_loss() -> None:
    main = log(
        None,
        tile(100, 101, count(A, 1), at=EDGE),
        tile(101, 102, count(A, 0, {"5s": 1}), at=LATER),
        start=100,
        gaps=[OPENING],
    )

    account = balance(main, [log("5s")], graves(), [])

    assert account.total().lost == 1


def test_copy_well_after_the_books_begin_is_a_duplicate() -> None:
    main = log(None, tile(100, 101, count(A, 1), at=EDGE), start=100, gaps=[OPENING])

    account = balance(main, [log("5s", tile(0, 1, count(A, 1), at=LATER))], graves(), [])

    assert account.total().duplicates == 1


def test_partition_whose_tiles_have_all_expired_is_expired() -> None:
    main = log(None, start=100, gaps=[OPENING], committed=100)

    account = balance(main, [log("5s", tile(0, 1, count(A, 1), at=LATER))], graves(), [])

    assert account.total() == Columns(accepted=1, delivered=1, expired=100)


def test_account_of_one_org_holds_its_cells_and_what_may_be_wrong_with_them() -> None:
    account = Account()
    account.cells[A].lost = 1
    account.cells[B].accepted = 1
    account.problems += [Problem("a", "one is missing"), Problem("-", "a tile is missing")]

    assert set(account.of("a").cells) == {A}
    assert texts(account.of("a")) == ["one is missing", "a tile is missing"]
    assert texts(account.of("b")) == ["a tile is missing"]


def test_sums_over_orgs_and_over_destinations_equal_the_total() -> None:
    account = Account()
    for place, cell in enumerate([A, B, ("a", "log"), NOBODYS]):
        account.cells[cell].accepted = 1 << place

    assert sum(columns.accepted for columns in account.by_org().values()) == account.total().accepted == 15
    assert {name: columns.accepted for name, columns in account.by_destination().items()} == {
        "-": 8,
        "crm": 3,
        "log": 4,
    }


def test_note_from_before_the_books_begin_puts_nothing() -> None:
    """Its letter is still held, and still redriven; what became of its record has expired."""
    main = log(None, tile(100, 101, count(A, 1), at=EDGE), start=100, gaps=[OPENING])

    account = balance(main, [], graves(A), [note(0, A, A, at=OLD)])

    assert account.total() == Columns(accepted=1, delivered=1, expired=100)
