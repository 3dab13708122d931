"""What may enter a lane, and what a post's end means for those behind it: decisions alone, without a loop."""

from collections.abc import Sequence

import msgspec
import pytest

from headrace.broker.memory_cluster import Kept, MemoryRecord
from headrace.core.holds import EVERYTHING
from headrace.core.lanes import LaneLimits
from headrace.core.ordered_lane import OrderedLane
from headrace.core.runs import Run
from headrace.core.schedule import RetrySchedule
from headrace.delivery.order import Order, Tail
from headrace.model.destination import Destination
from headrace.model.outcome import Delivered, Outcome, Rejected, Retryable
from headrace.model.record import Origin
from headrace.model.units import Duration
from headrace.testing.clock import FakeClock
from ordering import MAIN, Stage

FIRST, SECOND = Duration(5), Duration(30)
SCHEDULE = RetrySchedule([FIRST, SECOND], Duration(3600))
FAILED = Retryable("locked")
LIMITS = LaneLimits(batch_events=10, batch_bytes=1000, linger=0.0, lane_events=50, lane_bytes=1 << 20, posts=4)
crm = Destination(name="crm", type="memory", settings=msgspec.Struct())


class Desk:
    """One lane, and whose turn it is there."""

    def __init__(self, *, by_org: bool = False) -> None:
        self.clock = FakeClock()
        self.stage = Stage(self.clock, crm)
        self.order = Order(MAIN, SCHEDULE, by_org=by_org)
        self.lane = OrderedLane("acme", crm, LIMITS, self.order.allowance)
        self.lane.pace.succeed(0.0, 0.0)

    def restore(self, names: str, attempts: int = 0) -> None:
        for name in names.split():
            key, origin = f"acme/{name[0]}".encode(), Origin(MAIN, 0, int(name[1:]))
            self.order.restore(self.lane, Tail("acme", crm, key, origin, FIRST, attempts))

    def sort(self, run: Run) -> dict[str, str]:
        """Name which events of *run* may do what."""
        parts = self.order.sort(self.lane, run, self.clock.wall())
        told = {"go": parts.go, "later": parts.later, **{f"hop {tier}": places for tier, places in parts.hop.items()}}
        return {word: _names(run.pick(places)) for word, places in told.items() if places}

    def land(self, runs: Sequence[Run], outcomes: Sequence[Outcome] | None, delay: Duration | None = None) -> str:
        """End a post, and name what was behind those who failed."""
        self.lane.land(list(runs))
        posts = [1] * sum(map(len, runs))
        failed = self.order.landed(self.lane, runs, outcomes, posts, delay, self.clock.wall())
        return " ".join(map(_names, self.order.behind(self.lane, failed)))

    def away(self) -> dict[str, list[int]]:
        holds = self.lane.holds._holds.items()
        return {(key[1] or b"everything").decode().removeprefix("acme/"): list(hold.away) for key, hold in holds}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def _names(run: Run) -> str:
    return " ".join(run.ids[run.start : run.stop])


def test_where_nobody_is_held_everything_goes(desk: Desk) -> None:
    assert desk.sort(desk.stage.fresh("a1 b2")) == {"go": "a1 b2"}
    assert desk.sort(desk.stage.due("c3", due_in=-1)) == {"go": "c3"}


def test_a_run_is_parted_by_what_its_sessions_allow(desk: Desk) -> None:
    desk.restore("a1", attempts=1)
    desk.restore("b2")

    assert desk.sort(desk.stage.fresh("a3 b4 c5")) == {"hop 5s": "a3", "go": "c5"}
    assert list(desk.lane.room) == [(0, b"acme/b")]


def test_hops_go_to_the_tier_of_their_sessions_first_event(desk: Desk) -> None:
    flight = [desk.stage.fresh("a1"), desk.stage.due("b2", attempts=1)]
    desk.land(flight, [FAILED, FAILED])

    assert desk.sort(desk.stage.fresh("a3 b4")) == {"hop 5s": "a3", "hop 30s": "b4"}
    run = desk.stage.fresh("a5 b6 c7")
    assert [(tier, _names(part)) for tier, part in desk.order.by_tier(desk.lane, run)] == [
        (FIRST, "a5 c7"),
        (SECOND, "b6"),
    ]


def test_only_those_that_were_not_taken_hold_their_sessions(desk: Desk) -> None:
    flight = [desk.stage.fresh("a1 b2"), desk.stage.fresh("c3")]
    for run in (desk.stage.fresh("a4 b5 c6"), desk.stage.due("a7 c8"), desk.stage.fresh("a9", partition=1)):
        desk.lane.add(run)

    assert desk.land(flight, [FAILED, Rejected("bad"), Delivered()]) == "a7 a4"
    assert desk.away() == {"a": [1]}
    assert _names(desk.lane.due[0]) == "c8"


def test_what_is_delivered_or_dead_releases_its_session(desk: Desk) -> None:
    desk.restore("a1 b2 c3")
    run = desk.stage.due("a1 b2")
    desk.sort(run)
    desk.land([run], None)
    assert desk.away() == {"c": [3]}
    desk.order.bury(desk.lane, "acme", b"acme/c", Origin(MAIN, 0, 3))
    assert desk.away() == {}


def test_an_event_that_had_its_time_holds_nobody(desk: Desk) -> None:
    flight = [desk.stage.due("a1", attempts=3, since=4000)]

    assert desk.land(flight, [FAILED]) == ""
    assert desk.away() == {}


def test_what_a_partition_that_leaves_had_in_flight_says_nothing(desk: Desk) -> None:
    flight = [desk.stage.fresh("a1")]
    desk.stage.leave()

    assert desk.land(flight, [FAILED]) == ""
    assert desk.away() == {}


def test_a_new_hold_knows_what_of_its_session_is_under_way(desk: Desk) -> None:
    flying = desk.stage.fresh("a1 b2")
    desk.lane.add(flying)
    desk.lane.take()
    desk.stage.leave()
    for run in (desk.stage.fresh("a3 c4"), desk.stage.fresh("a5", partition=1), desk.stage.due("a0")):
        desk.lane.add(run)
    desk.order.moved(desk.lane, desk.stage.fresh("a7"), FIRST, desk.clock.wall())

    hold = desk.lane.holds.get((0, b"acme/a"))
    assert hold is not None
    assert hold.fresh == {3}, "neither other sessions', nor due ones, nor those of another assignment"


def test_beyond_the_allowance_everything_of_the_partition_is_behind(desk: Desk) -> None:
    desk.order.allowance.left = 0
    desk.lane.add(desk.stage.fresh("b4 c5"))
    desk.lane.add(desk.stage.fresh("d6", partition=1))

    assert desk.land([desk.stage.fresh("a1")], [FAILED]) == "b4 c5"
    assert desk.lane.holds.find((0, b"acme/z"))[0] == (0, EVERYTHING)
    assert desk.sort(desk.stage.fresh("e7")) == {"hop 5s": "e7"}


def test_those_in_the_room_wait_for_everything_once_the_partition_is_held_whole(desk: Desk) -> None:
    desk.order.allowance.left = 1
    desk.restore("a1")
    desk.sort(desk.stage.fresh("a3"))
    desk.order.moved(desk.lane, desk.stage.fresh("b9"), FIRST, desk.clock.wall())

    assert list(desk.lane.room) == [(0, EVERYTHING)]
    assert desk.order.stranded(desk.lane) == []
    desk.sort(desk.stage.due("a1"))
    desk.order.note(desk.lane, [(0, EVERYTHING)])
    assert [_names(run) for run in desk.lane.fresh] == ["a3"]


def test_records_without_a_key_are_kept_in_one_order(desk: Desk) -> None:
    run = desk.stage.fresh("a1 b2")
    run.records = [MemoryRecord(Kept(MAIN, 0, place, None, b"{}", (), 0)) for place in (1, 2)]

    assert desk.order.key_of(run, 0) == desk.order.key_of(run, 1) == (0, b"")


def test_under_org_ordering_an_orgs_sessions_are_one(desk: Desk) -> None:
    whole = Desk(by_org=True)
    run = whole.stage.fresh("a1 b2")
    assert whole.order.key_of(run, 0) == whole.order.key_of(run, 1)
    assert whole.order.key_of(whole.stage.fresh("a1", org="ajax"), 0) != whole.order.key_of(run, 0)
    assert desk.order.key_of(run, 0) != desk.order.key_of(run, 1)


@pytest.mark.parametrize("change", ["redriven", "topic", "partition"])
def test_what_is_not_bound_to_its_session_holds_nobody_and_waits_for_nobody(desk: Desk, change: str) -> None:
    desk.restore("a1")
    run = desk.stage.due("a3", attempts=1)
    assert run.marks is not None
    elsewhere = {"topic": Origin("other.events", 0, 3), "partition": Origin(MAIN, 5, 3)}
    changed = {"redriven": True} if change == "redriven" else {"origin": elsewhere[change]}
    run.marks = [msgspec.structs.replace(run.marks[0], **changed)]

    assert desk.sort(run) == {"go": "a3"}
    assert desk.land([run], [FAILED]) == ""
    assert desk.away() == {"a": [1]}


def test_what_other_threads_ask_is_answered_by_one_flag(desk: Desk) -> None:
    """The owner thread must not look into a table that the event loop changes."""
    desk.restore("a1")
    hold = desk.lane.holds.get((0, b"acme/a"))
    assert hold is not None
    assert desk.order.drains(desk.lane, 0, "acme", b"acme/a")
    hold.away.pop()

    assert desk.order.drains(desk.lane, 0, "acme", b"acme/a"), "until the loop has looked at it again"
    assert not desk.order.drains(desk.lane, 0, "acme", b"acme/b")


def test_the_allowance_is_shared_by_all_lanes(desk: Desk) -> None:
    other = OrderedLane("ajax", crm, LIMITS, desk.order.allowance)
    desk.order.allowance.left = 1
    desk.restore("a1")
    desk.order.moved(other, desk.stage.fresh("b2", org="ajax"), FIRST, desk.clock.wall())

    assert other.holds.find((0, b"ajax/z"))[0] == (0, EVERYTHING)
