"""A volume adds up what is settled for good, and says so when it added up too much."""

from headrace.core.chain import Chain
from headrace.core.sheet import Piece, Sheet, Unsaid, moment
from headrace.core.volume import Volume
from headrace.model.tile import Count, Tile

KEPT = 3


def tile(first: int, *, name: str = "", previous: str | None = None, at: int = 0, said: int = 1) -> Tile:
    """Return a tile of one record, called after its offset, that follows on the one before unless told otherwise."""
    return Tile(
        id=name or f"t{first}",
        previous=previous if previous is not None else f"t{first - 1}" if first else None,
        topic="events",
        partition=0,
        first=first,
        next=first + 1,
        records=1,
        at=f"2026-11-23T{at:02}:00:00.000Z",
        counts=[Count(org="a", destination="crm", delivered=said)],
    )


def filled(tiles: int, since: float = float("-inf")) -> Volume:
    volume = Volume(since, KEPT)
    for number in range(tiles):
        volume.add(tile(number))
    return volume


def sums(chain: Chain[Piece] | None) -> list[tuple[int, int]]:
    assert chain is not None
    return [(piece.first, piece.next) for piece in chain.tiles if isinstance(piece, Sheet)]


def test_a_long_chain_is_one_sheet_and_a_few_tiles() -> None:
    volume = filled(1000)

    chain = volume.chain(1000, "t999")

    assert sums(chain) == [(0, volume.sheets[0].next)]
    assert volume.sheets[0].cells["a", "crm"].delivered == volume.sheets[0].next
    assert KEPT <= len(volume.loose) <= 3 * KEPT
    assert chain is not None
    assert not chain.gaps


def test_tile_whose_commit_failed_is_passed_over() -> None:
    """The next worker begins behind the commit, and names the tile that was committed."""
    volume = filled(100)
    for late in range(100, 100 + KEPT - 1):
        volume.add(tile(late, name=f"late{late}", previous="t99" if late == 100 else f"late{late - 1}"))
    for number in range(100, 200):
        volume.add(tile(number))

    chain = volume.chain(200, "t199")

    assert chain is not None
    assert not chain.gaps
    assert not any(isinstance(piece, Tile) and piece.id.startswith("late") for piece in chain.tiles)


def test_a_gap_begins_a_sheet_of_its_own() -> None:
    volume = Volume(kept=KEPT)
    for number in [*range(50), *range(60, 110)]:
        volume.add(tile(number, previous="t49" if number == 60 else None))

    chain = volume.chain(110, "t109")

    assert chain is not None
    assert [(gap.first, gap.next) for gap in chain.gaps] == [(50, 60)]
    assert [first for first, _ in sums(chain)] == [0, 60]


def test_commit_that_went_back_into_a_sheet_is_told() -> None:
    volume = filled(100)

    assert volume.chain(20, "t19") is None


def test_named_tile_that_may_stand_in_a_sheet_is_told() -> None:
    volume = filled(100)
    top = volume.sheets[0].next
    volume.loose = []

    assert volume.chain(top + 5, "t7") is None
    assert volume.chain(top, volume.sheets[0].id) is not None


def test_old_tiles_stay_as_they_are() -> None:
    volume = Volume(moment("2026-11-23T02:00:00.000Z"), KEPT)
    for number in range(60):
        volume.add(tile(number, at=number // 10))

    assert [sheet.first for sheet in volume.sheets] == [30]
    assert [each.first for each in volume.loose[:30]] == list(range(30))
    assert volume.newest == moment("2026-11-23T05:00:00.000Z")


def test_nothing_is_added_up_where_all_is_to_stay() -> None:
    volume = filled(100, float("inf"))

    assert (volume.sheets, len(volume.loose)) == ([], 100)


def test_a_sheet_remembers_what_its_tiles_do_not_say() -> None:
    sheet = Sheet.of(tile(0))
    sheet.add(tile(1, said=0))

    assert sheet.unsaid == [Unsaid(1, 2, 1)]
    assert (sheet.first, sheet.next, sheet.id, sheet.previous) == (0, 2, "t1", None)
