"""The table of held sessions under any sequence of polls, posts, failures, hops and copies.

Nothing is posted before what is before it in its session, and once everything is delivered nothing is held.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from headrace.core.holds import EVERYTHING, Allowance, Hold, Holds, Key, Turn
from headrace.model.units import Duration

End = Literal["delivered", "dead", "failed"]

TIERS = (Duration(1), Duration(5))
ENOUGH = 300
"""Rounds in which everything must be delivered."""


class Sessions(RuleBasedStateMachine):
    """One lane and one partition, with as much of a dispatcher as the table needs: two queues, a room and tiers."""

    @initialize(sessions=st.integers(0, 3))
    def begin(self, sessions: int) -> None:
        self.allowance = Allowance(sessions)
        self.allowed = sessions
        self.holds = Holds(self.allowance)
        self.session: list[bytes] = []
        """Whose each event is; events are named by their origins."""
        self.due: list[int] = []
        self.fresh: list[int] = []
        self.flight: list[tuple[int, bool]] = []
        """Each event in flight, and whether it came from a tier."""
        self.room: list[int] = []
        self.tiers: Counter[int] = Counter()
        self.posted: set[int] = set()
        self.over: set[int] = set()

    @rule(session=st.sampled_from((b"a", b"b", b"c")), events=st.integers(1, 3))
    def poll(self, session: bytes, events: int) -> None:
        for _ in range(events):
            self.session.append(session)
            self.admit_fresh(len(self.session) - 1)
        self.settle_down()

    @rule(session=st.sampled_from((b"a", b"b", b"c")))
    def overflow(self, session: bytes) -> None:
        """A lane that is full sends a new event to a tier, and with it what waits in the room for its session."""
        self.session.append(session)
        self.hop([len(self.session) - 1, *(each for each in self.room if self.session[each] == session)])
        self.settle_down()

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """Read a tier's record, when it is due or ahead of that."""
        if self.tiers:
            origin = data.draw(st.sampled_from(sorted(self.tiers)), "origin")
            early = data.draw(st.booleans(), "early") and origin not in self.posted
            self.admit_due(origin, early=early)
            self.settle_down()

    @rule(data=st.data())
    def copy(self, data: st.DataObject) -> None:
        """A crash lets an event stand on its tier twice."""
        if self.tiers:
            self.tiers[data.draw(st.sampled_from(sorted(self.tiers)), "origin")] += 1

    @rule(back=st.integers(0, 5))
    def crash(self, back: int) -> None:
        """The table is found out again from the tiers; what was not settled is polled again, from some way before."""
        for origin in (*self.due, *(each for each, is_due in self.flight if is_due)):
            self.tiers[origin] += 1
        under_way = (*self.fresh, *self.room, *(each for each, is_due in self.flight if not is_due))
        self.due, self.fresh, self.room, self.flight = [], [], [], []
        self.allowance = Allowance(self.allowed)
        self.holds = Holds(self.allowance)
        for origin in sorted(self.tiers):
            key, hold = self.holds.begin((0, self.session[origin]), lambda _: set())
            hold.put(origin, TIERS[0], posted=origin in self.posted)
            self.note([key])
        for origin in range(max(0, min(under_way, default=len(self.session)) - back), len(self.session)):
            self.admit_fresh(origin)
        self.settle_down()

    @precondition(lambda self: not self.flight)
    @rule(events=st.integers(1, 6))
    def post(self, events: int) -> None:
        due, fresh = self.due[:events], self.fresh[: max(0, events - len(self.due))]
        del self.due[: len(due)], self.fresh[: len(fresh)]
        self.flight = [(each, True) for each in due] + [(each, False) for each in fresh]
        seen: set[int] = set()
        for origin, _ in self.flight:
            before = {each for each in range(origin) if self.session[each] == self.session[origin]}
            assert origin in self.over or before <= self.over | seen, f"{origin} is posted before {before - self.over}"
            seen.add(origin)

    @precondition(lambda self: self.flight)
    @rule(data=st.data())
    def land(self, data: st.DataObject) -> None:
        ends: list[End] = data.draw(
            st.lists(
                st.sampled_from(("delivered", "delivered", "dead", "failed")),
                min_size=len(self.flight),
                max_size=len(self.flight),
            ),
            "ends",
        )
        self.end_flight(ends)
        self.settle_down()

    @rule()
    def evict(self) -> None:
        """The destination is parked: all that waits hops."""
        waiting = [*self.due, *self.fresh, *self.room]
        self.due.clear()
        self.fresh.clear()
        self.hop(waiting)
        self.settle_down()

    @invariant()
    def the_allowance_is_what_is_not_used(self) -> None:
        assert self.allowance.left == self.allowed - len(self.holds)
        assert self.allowed or len(self.holds) <= 1, "without an allowance the partition is held whole"

    @invariant()
    def the_count_of_draining_sessions_is_right(self) -> None:
        found = {self.holds.find((0, session)) for session in (b"a", b"b", b"c")}
        assert self.holds.draining[0] == sum(hold.is_draining for _, hold in found if hold is not None)

    @invariant()
    def what_is_on_a_tier_is_known_unless_it_is_a_copy(self) -> None:
        under_way = {*self.due, *(each for each, _ in self.flight), *self.over}
        for origin in self.tiers.keys() - under_way:
            hold = self.holds.find((0, self.session[origin]))[1]
            assert hold is not None
            assert origin in hold.away

    def teardown(self) -> None:
        """The destination takes everything from now on: then all is delivered, and nobody is held."""
        for _ in range(ENOUGH):
            self.end_flight(["delivered"] * len(self.flight))
            self.settle_down()
            for origin in sorted(self.tiers, key=lambda each: (each in self.over, -each)):
                self.admit_due(origin, early=False)
                self.settle_down()
            self.post(4)
        assert self.over == set(range(len(self.session)))
        assert not self.tiers
        assert len(self.holds) == 0
        assert self.holds.draining.total() == 0

    def admit_fresh(self, origin: int) -> None:
        key, hold = self.find(origin)
        turn = hold.turn_of_fresh(origin) if hold is not None else Turn.GO
        if turn is Turn.GO:
            self.fresh.append(origin)
        elif turn is Turn.WAIT:
            assert origin not in self.room
            self.room.append(origin)
        else:
            self.hop([origin])
        self.note([key])

    def admit_due(self, origin: int, *, early: bool) -> None:
        key, hold = self.find(origin)
        turn = hold.turn_of_due(origin, early=early) if hold is not None else Turn.LATER if early else Turn.GO
        if turn is Turn.GO:
            self.take_off(origin)
            self.due.append(origin)
        elif turn is Turn.HOP:
            self.take_off(origin)
            self.hop([origin])
        self.note([key])

    def take_off(self, origin: int) -> None:
        self.tiers -= Counter([origin])

    def hop(self, origins: Sequence[int]) -> None:
        for origin in origins:
            self.put(origin)
            if origin in self.room:
                self.room.remove(origin)

    def put(self, origin: int, tier: Duration = TIERS[0]) -> Key:
        key, hold = self.holds.begin((0, self.session[origin]), self.in_lane)
        hold.put(origin, tier, posted=origin in self.posted)
        self.tiers[origin] += 1
        self.note([key])
        return key

    def end_flight(self, ends: Sequence[End]) -> None:
        landed, self.flight = self.flight, []
        failed: set[Key] = set()
        for (origin, _), end in zip(landed, ends, strict=True):
            self.posted.add(origin)
            if end == "failed":
                failed.add(self.put(origin, TIERS[1]))
            else:
                self.over.add(origin)
                key, hold = self.find(origin)
                if hold is not None:
                    hold.gone(origin)
                    self.note([key])
        behind = [each for each in (*self.due, *self.fresh, *self.room) if self.find(each)[0] in failed]
        self.due = [each for each in self.due if each not in behind]
        self.fresh = [each for each in self.fresh if each not in behind]
        self.hop(behind)

    def settle_down(self) -> None:
        """Let those out of the room that may go, and send away those whose session drains no more."""
        for key in {self.find(each)[0] for each in self.room}:
            hold = self.holds.get(key)
            assert hold is not None, "what waits in the room waits for somebody"
            mine = {each for each in self.room if self.find(each)[0] == key}
            while (origin := hold.let_in(mine)) is not None:
                self.room.remove(origin)
                mine.remove(origin)
                (self.due if origin in hold.due else self.fresh).append(origin)
            if not hold.is_draining:
                self.hop(sorted(mine))
            self.note([key])

    def note(self, keys: Sequence[Key]) -> None:
        for key in keys:
            if (hold := self.holds.get(key)) is not None:
                self.holds.note(key, hold)

    def find(self, origin: int) -> tuple[Key, Hold | None]:
        return self.holds.find((0, self.session[origin]))

    def in_lane(self, key: Key) -> set[int]:
        under_way = (*self.fresh, *(each for each, is_due in self.flight if not is_due))
        return {each for each in under_way if key[1] in {EVERYTHING, self.session[each]}}


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
