"""The event loop's half of keeping order: what may enter a lane, and what a post's end means for those behind it."""

from collections.abc import Iterable, Sequence

import msgspec

from headrace.core.holds import EVERYTHING, Allowance, Hold, Key, Turn
from headrace.core.ordered_lane import OrderedLane
from headrace.core.runs import Run
from headrace.core.schedule import RetrySchedule
from headrace.model.destination import Destination
from headrace.model.outcome import Delivered, Outcome, Rejected
from headrace.model.record import Origin
from headrace.model.units import Duration

SESSIONS = 50_000
"""Sessions that one worker holds one by one, a few hundred bytes each; beyond it, a lane's partition is held whole."""


class Tail(msgspec.Struct, frozen=True, gc=False):
    """An event that was on a tier when its partition came to this worker."""

    org: str
    destination: Destination
    key: bytes
    origin: Origin
    tier: Duration
    attempts: int


class Parts(msgspec.Struct, frozen=True):
    """Places in a run, parted by what its events may do now; *hop* by the tier that they move to.

    *touched* are their keys, which are to be noted when this was done.
    """

    go: list[int]
    later: list[int]
    hop: dict[Duration, list[int]]
    touched: set[Key]


class Order:
    """Knows in every lane whose turn it is. Owned by the event loop."""

    def __init__(self, main_topic: str, schedule: RetrySchedule, *, by_org: bool) -> None:
        self._main_topic = main_topic
        self._schedule = schedule
        self._by_org = by_org
        self.allowance = Allowance(SESSIONS)

    def sort(self, lane: OrderedLane, run: Run, now: float) -> Parts:
        """Part a run at *now*, on the calendar. What has to wait beside the queues is in the lane's room then."""
        parts = Parts([], [], {}, set())
        for at in range(run.start, run.stop):
            key, hold = lane.holds.find(self.key_of(run, at))
            match self._turn(hold, run, at, now):
                case Turn.GO:
                    parts.go.append(at)
                case Turn.LATER:
                    parts.later.append(at)
                case Turn.WAIT:
                    if not lane.let_wait(key, self._place(run, at), run.pick([at])):
                        parts.later.append(at)
                case Turn.HOP:
                    parts.hop.setdefault(_tier(hold), []).append(at)
            parts.touched.add(key)
        return parts

    def moved(self, lane: OrderedLane, run: Run, delay: Duration, now: float) -> None:
        """Note that *run* hops to the tier *delay*, or where it has had its time is given up: its sessions are held."""
        self._moved(lane, run, [(at, 0) for at in range(run.start, run.stop)], delay, now)

    def landed(
        self,
        lane: OrderedLane,
        runs: Sequence[Run],
        outcomes: Sequence[Outcome] | None,
        posts: Sequence[int],
        delay: Duration | None,
        now: float,
    ) -> set[Key]:
        """Note what became of a post's events, and return the keys of those that will be retried.

        *outcomes* (None: all delivered) and *posts* run parallel to the events of *runs*.
        """
        failed: set[Key] = set()
        place = 0
        for run in runs:
            following = place + len(run)
            if run.chunk.assignment.is_leaving:
                pass
            elif outcomes is None:
                self._gone(lane, run, range(run.start, run.stop))
            else:
                ends = list(
                    zip(range(run.start, run.stop), outcomes[place:following], posts[place:following], strict=True)
                )
                self._gone(lane, run, [at for at, end, _ in ends if isinstance(end, Delivered | Rejected)])
                retried = [(at, times) for at, end, times in ends if not isinstance(end, Delivered | Rejected)]
                failed |= self._moved(lane, run, retried, delay, now)
            place = following
        return failed

    def behind(self, lane: OrderedLane, keys: set[Key]) -> list[Run]:
        """Take out of the lane all that waits behind events that were just held."""
        runs: list[Run] = []
        for partition in {key[0] for key in keys}:
            runs += lane.pull(partition, lambda run, at: lane.holds.find(self.key_of(run, at))[0] in keys)
        return runs + [run for key in keys for run in lane.let_out(key)]

    def stranded(self, lane: OrderedLane) -> list[Run]:
        """Take out of the lane's room what waits for sessions that do not drain any more."""
        keys = [key for key in lane.changed if key in lane.room]
        lane.changed.clear()
        return [run for key in keys if not _drains(lane, key) for run in lane.let_out(key)]

    def by_tier(self, lane: OrderedLane, run: Run) -> list[tuple[Duration, Run]]:
        """Part a run by the tiers at which the sessions of its events are held.

        What was before them may have been given up this very moment; then it is the first.
        """
        tiers: dict[Duration, list[int]] = {}
        for at in range(run.start, run.stop):
            hold = lane.holds.find(self.key_of(run, at))[1]
            tiers.setdefault(_tier(hold) if hold is not None else self._schedule.first, []).append(at)
        return [(tier, run.pick(places)) for tier, places in tiers.items()]

    def restore(self, lane: OrderedLane, tail: Tail) -> None:
        """Note an event that was found on a tier."""
        key, hold = lane.holds.begin((tail.origin.partition, self._key(tail.org, tail.key)), _nothing)
        hold.put(tail.origin.offset, tail.tier, posted=tail.attempts > 0)
        lane.holds.note(key, hold)

    def bury(self, lane: OrderedLane, org: str, key: bytes, origin: Origin) -> None:
        """Note that an event is dead, though no post said so."""
        found, hold = lane.holds.find((origin.partition, self._key(org, key)))
        if hold is not None:
            hold.gone(origin.offset)
            self.note(lane, [found])

    def drains(self, lane: OrderedLane, partition: int, org: str, key: bytes) -> bool:
        """Tell whether a session's followers may be read ahead. The owner thread may ask: it is told again later."""
        hold = lane.holds.find((partition, self._key(org, key)))[1]
        return hold is not None and hold.is_counted

    def key_of(self, run: Run, at: int) -> Key:
        """Return whose order an event is kept in."""
        return run.partition, self._key(run.org, run.records[at].key() or b"")

    def _key(self, org: str, key: bytes) -> bytes:
        return org.encode() if self._by_org else key

    def _origin(self, run: Run, at: int) -> int | None:
        """Return an event's place on the main topic; None when it neither holds its session nor waits for it."""
        if run.marks is None:
            return run.records[at].offset()
        mark = run.marks[at]
        is_bound = mark.origin.topic == self._main_topic and mark.origin.partition == run.partition
        return mark.origin.offset if is_bound and not mark.redriven else None

    def _place(self, run: Run, at: int) -> int:
        origin = self._origin(run, at)
        assert origin is not None, "only what is bound to its session waits for it"
        return origin

    def _turn(self, hold: Hold | None, run: Run, at: int, now: float) -> Turn:
        origin = self._origin(run, at)
        if run.marks is None:
            return hold.turn_of_fresh(origin) if hold is not None and origin is not None else Turn.GO
        is_early = run.marks[at].due_at > now
        if hold is None or origin is None:
            return Turn.LATER if is_early else Turn.GO
        return hold.turn_of_due(origin, early=is_early)

    def _moved(
        self, lane: OrderedLane, run: Run, places: Iterable[tuple[int, int]], delay: Duration | None, now: float
    ) -> set[Key]:
        """Note that the events at *places*, posted so often just now, are retried; return the keys that hold them."""
        held: set[Key] = set()
        given_up: list[int] = []
        in_lane = _InLane(self, lane, run.partition)
        for at, posts in places:
            mark = run.marks[at] if run.marks else None
            tier = self._schedule.move(mark, posts, delay, now, paused=lane.pace.is_paused)
            origin = self._origin(run, at)
            if origin is None:
                continue
            if tier is None:
                given_up.append(at)
                continue
            key, hold = lane.holds.begin(self.key_of(run, at), in_lane.fresh)
            hold.put(origin, tier, posted=bool(posts or (mark and mark.attempts)))
            held.add(key)
        # Nobody is let in before all of the run is noted: what is still to come may be before them.
        self._gone(lane, run, given_up)
        self.note(lane, held)
        return held

    def _gone(self, lane: OrderedLane, run: Run, places: Iterable[int]) -> None:
        if not lane.holds:
            return
        touched: set[Key] = set()
        for at in places:
            key, hold = lane.holds.find(self.key_of(run, at))
            origin = self._origin(run, at)
            if hold is not None and origin is not None:
                hold.gone(origin)
                touched.add(key)
        self.note(lane, touched)

    def note(self, lane: OrderedLane, keys: Iterable[Key]) -> None:
        """Look again at what changed. What waits in the room enters the lane once all that is before it has."""
        for key in keys:
            hold = lane.holds.get(key)
            if hold is None:
                continue
            if key[1] is EVERYTHING:
                lane.merge_room(key)
            if key in lane.room:
                self._let_in(lane, key, hold)
            lane.holds.note(key, hold)

    def _let_in(self, lane: OrderedLane, key: Key, hold: Hold) -> None:
        """Let those into the lane whose turn has come; what waits for a session that does not drain is stranded."""
        while key in lane.room and (origin := hold.let_in(lane.room[key])) is not None:
            lane.let_in(key, origin, is_due=origin in hold.due)
        if hold.away:
            lane.changed.add(key)
            return
        # Copies that a crash has left.
        for run in lane.let_out(key):
            lane.add(run)


class _InLane:
    """Looks up, once it is asked, which events of the main topic a lane holds and has in flight, by key."""

    def __init__(self, order: Order, lane: OrderedLane, partition: int) -> None:
        self._order = order
        self._lane = lane
        self._partition = partition
        self._found: dict[bytes | None, set[int]] | None = None

    def fresh(self, key: Key) -> set[int]:
        if self._found is None:
            self._found = {}
            for run in (*self._lane.flying.get(self._partition, ()), *self._lane.fresh):
                if run.partition == self._partition and run.marks is None and not run.chunk.assignment.is_leaving:
                    for at in range(run.start, run.stop):
                        session = self._order.key_of(run, at)[1]
                        self._found.setdefault(session, set()).add(run.records[at].offset())
        if key[1] is EVERYTHING:
            return set().union(*self._found.values())
        return set(self._found.get(key[1], ()))


def _drains(lane: OrderedLane, key: Key) -> bool:
    hold = lane.holds.find(key)[1]
    return hold is not None and hold.is_draining


def _tier(hold: Hold | None) -> Duration:
    assert hold is not None, "only behind a held event does another one hop"
    assert hold.tier is not None, "what is held is on a tier"
    return hold.tier


def _nothing(_: Key) -> set[int]:
    return set()
