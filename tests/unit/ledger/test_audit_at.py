"""Books closed again at former positions: the same columns, whatever flowed since, or one sentence why not."""

from collections.abc import Iterator

import msgspec
import pytest

from headrace.core.positions import Position, Positions
from headrace.errors import HeadraceError, UsageError
from headrace.ledger.audit import audit
from headrace.ledger.report import Report, report
from headrace.model.record import TopicPartition
from headrace.model.tile import Redriven, RedriveNote
from headrace.wire import attempts
from unit.ledger.test_audit import AT, NAMES, ROUTES, TIER, A, B, River, count, flowing

EVENTS = NAMES.events


def at(river: River, positions: Positions) -> Report:
    return report(audit(river.broker.reader(), NAMES, lambda name: ROUTES.get(name, ()), at=positions))


def flow_on(river: River) -> None:
    """Let everything happen that changes books: settled, retried, dead, redriven, emitted, a frozen worker's tile."""
    river.settle(EVENTS, 3, 4, count(A, 0, 1), count(("a", "log"), 1))
    river.move(TIER, A, 3)
    river.settle(TIER, 1, 2, count(A, 0, 0, 1))
    river.move(NAMES.dead, A, 3)
    records = [Redriven(org="b", destination="crm", tier="5s")]
    note = RedriveNote(topic=NAMES.dead, partition=0, offset=0, org="b", destination="crm", at=AT, records=records)
    river.write(NAMES.attempts, attempts.key(NAMES.dead, 0), attempts.encode(note))
    river.tile(EVENTS, 0, 2, count(A, 2), count(("a", "log"), 2))
    river.emit("a", "b", "c")


def test_books_at_former_positions_are_the_former_books() -> None:
    river = flowing()
    before = river.audit()

    flow_on(river)

    assert river.audit() != before
    assert at(river, before.positions) == before


def test_positions_survive_their_way_through_a_file() -> None:
    river = flowing()
    before = river.audit()
    written = msgspec.json.encode(before)

    flow_on(river)

    assert msgspec.json.decode(written, type=Report) == before
    assert msgspec.json.decode(written)["positions"][EVENTS] == {"0": [3, 4, 0, "w-1"]}
    assert at(river, msgspec.json.decode(written, type=Report).positions) == before


def test_unsettled_river_is_closed_again_from_its_ends() -> None:
    river = River()
    river.emit("a", "b")
    before = river.audit()

    river.settle(EVENTS, 0, 2, count(A, 1), count(("a", "log"), 1), count(B, 1))

    assert before.in_flight == 3
    assert at(river, before.positions) == before


def test_the_chain_that_counted_then_counts_again() -> None:
    """A frozen worker had written a tile over the same offsets; the commit named the other one."""
    river = flowing()
    river.tile(EVENTS, 2, 3, count(B, 1))
    before = river.audit()

    flow_on(river)

    assert (before.delivered, before.lost) == (3, 0)
    assert at(river, before.positions) == before


def test_tiles_that_retention_deleted_since_are_named() -> None:
    river = flowing()
    before = river.audit()

    river.broker.delete_records(TopicPartition(NAMES.attempts, 0), 1)

    with pytest.raises(HeadraceError, match=f"{NAMES.attempts}/0: retention has deleted the offsets 0 to 0"):
        at(river, before.positions)


def _refusals() -> Iterator[tuple[Positions, type[HeadraceError], str]]:
    now = dict(flowing().audit().positions)
    yield {EVENTS: now[EVENTS]}, UsageError, "another river"
    yield {**now, "gone": {0: Position(0, 1)}}, UsageError, "gone/0 does not exist"
    yield {**now, TIER: {0: Position(1, 1), 1: Position(0, 0)}}, UsageError, f"{TIER}/1 does not exist"
    yield {**now, EVENTS: {0: Position(3, 5)}}, UsageError, "ends at 4, before the position 5"
    yield {**now, NAMES.dead: {0: Position(None, 1, -1)}}, HeadraceError, "retention has deleted the offsets -1 to -1"


@pytest.mark.parametrize(("positions", "error", "says"), list(_refusals()))
def test_positions_that_cannot_be_returned_to_are_refused_with_one_sentence(
    positions: Positions, error: type[HeadraceError], says: str
) -> None:
    with pytest.raises(error, match=says):
        at(flowing(), positions)


def test_records_that_retention_deleted_since_are_named() -> None:
    """What was in flight then is settled and deleted now; that its topic starts later alone is no reason."""
    river = flowing()
    before = river.audit()
    river.settle(EVENTS, 3, 4, count(A, 1), count(("a", "log"), 1))

    river.broker.delete_records(TopicPartition(EVENTS, 0), 2)
    assert at(river, before.positions) == before

    river.broker.delete_records(TopicPartition(EVENTS, 0), 4)
    with pytest.raises(HeadraceError, match=f"{EVENTS}/0: retention has deleted the offsets 3 to 3"):
        at(river, before.positions)
