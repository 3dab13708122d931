"""The event loop's half of a worker that keeps order: a dispatcher whose lanes hold sessions."""

from collections.abc import Collection, Mapping, Sequence

from headrace.clock import Clock
from headrace.core.lanes import Lane
from headrace.core.ordered_lane import OrderedLane
from headrace.core.pacing import Gate
from headrace.core.runs import Run
from headrace.core.schedule import RetrySchedule
from headrace.delivery.dispatcher import EVERYBODY, Dispatcher
from headrace.delivery.flight import Flight
from headrace.delivery.order import Order, Tail
from headrace.delivery.outbox import Hop, Later, Outbox
from headrace.delivery.posting import Lines
from headrace.delivery.settings import DeliverySettings
from headrace.model.destination import Destination
from headrace.model.record import Origin
from headrace.sinks.port import Sink
from headrace.telemetry.metrics import Metrics

SILENCE = 2.0
"""Seconds without a word from the owner after which nothing is posted until it is known again that the partitions are
this worker's: less than half of any session time-out."""

ORDERED = "every lane of an ordered dispatcher is one that keeps order"

HELD = "held"
"""The reason of a hop behind an earlier event of the session."""


class OrderedDispatcher(Dispatcher):
    """Posts an event only behind all that is before it in its session.

    `draining`, `heard_at` and `drains` are also for the owner thread.
    """

    def __init__(
        self,
        settings: DeliverySettings,
        schedule: RetrySchedule,
        sinks: Mapping[str, Sink],
        outbox: Outbox,
        clock: Clock,
        order: Order,
        metrics: Metrics | None = None,
    ) -> None:
        super().__init__(settings, schedule, sinks, outbox, clock, metrics=metrics)
        self._order = order
        self._holding: set[OrderedLane] = set()
        self._full: set[OrderedLane] = set()
        self.heard_at = clock.monotonic()
        """When the owner last knew that its partitions are its own; written by the owner."""
        self.draining: frozenset[int] = frozenset()
        """Partitions of which some session waits for its followers to be read ahead; a tenth of a second old."""
        self.sessions_held = 0
        """As many as there were a tenth of a second ago."""

    @property
    def holds_back(self) -> bool:
        return bool(self._full)

    def drains(self, partition: int, org: str, destination: Destination, key: bytes) -> bool:
        """Tell whether the followers of a session may be read ahead now. What comes of it is decided on arrival."""
        lane = self._lanes.get((EVERYBODY if destination.shared else org, destination.name))
        if not isinstance(lane, OrderedLane) or lane.pace.gate(self._clock.monotonic()) is not Gate.OPEN:
            return False
        return self._order.drains(lane, partition, org, key)

    def restore(self, tails: Sequence[Tail]) -> None:
        """Take note of events on tiers, in the order of their origins, before any other of their sessions comes."""
        for tail in tails:
            lane = self._ordered(tail.org, tail.destination)
            self._order.restore(lane, tail)
            self._holding.add(lane)

    def forget(self, partitions: Collection[int]) -> None:
        """Drop what is held of partitions that went away."""
        for lane in list(self._holding):
            for partition in partitions:
                lane.holds.forget(partition)
            for key in [key for key in lane.room if key[0] in partitions]:
                self.weight -= sum(run.weight for run in lane.let_out(key))

    def bury(self, org: str, destination: Destination, key: bytes, origin: Origin) -> None:
        """Let an event hold its session no more: it is dead, though no post said so."""
        lane = self._ordered(org, destination)
        self._order.bury(lane, org, key, origin)
        now = self._clock.monotonic()
        self._follow(lane, now)
        self._queue(lane, now)
        self._pump(now)

    def drain(self) -> None:
        super().drain()
        now = self._clock.monotonic()
        for lane in list(self._holding):
            self._clear_room(lane, now)

    def look_around(self, now: float) -> None:
        super().look_around(now)
        self._holding = {lane for lane in self._holding if lane.holds}
        for lane in self._holding:
            self._follow(lane, now)
        self.sessions_held = sum(len(lane.holds) for lane in self._holding)
        open_lanes = [lane for lane in self._holding if lane.pace.gate(now) is Gate.OPEN]
        self.draining = frozenset(number for lane in open_lanes for number, some in lane.holds.draining.items() if some)

    def _ordered(self, org: str, destination: Destination) -> OrderedLane:
        lane = self._lane(org, destination)
        assert isinstance(lane, OrderedLane), ORDERED
        return lane

    def _open(self, org: str, destination: Destination) -> OrderedLane:
        return OrderedLane(org, destination, self._limits, self._order.allowance)

    def _admit(self, run: Run, now: float) -> None:
        if run.chunk.assignment.is_leaving:
            self.weight -= run.weight
            return
        lane, patience = self._ordered(run.org, run.destination), self._settings.overflow_after
        gate, is_stuck = lane.pace.gate(now), lane.is_stuck(now, patience, is_due=bool(run.marks))
        if is_stuck and lane.room:
            # Those who wait for their own session take nobody else's place, nor do others of it go before them.
            self._clear_room(lane, now)
            is_stuck = lane.is_stuck(now, patience, is_due=bool(run.marks))
        if run.marks and (gate is not Gate.OPEN or self._is_draining or is_stuck):
            run = self._put_back_early(run)
        if not len(run):
            return
        if gate is Gate.SHUT or (gate is Gate.PROBE and not run.marks):
            super()._admit(run, now)
        elif gate is Gate.OPEN and is_stuck:
            self._hop(run, lane, now, "overflow")
        elif run.marks or lane.holds:
            self._admit_in_turn(run, lane, now)
        else:
            self._enter(run, lane, now)
        if self._is_draining:
            self._clear_room(lane, now)
        if lane.is_full and lane.waited(now) < patience:
            self._full.add(lane)
        self._queue(lane, now)

    def _enter(self, run: Run, lane: OrderedLane, now: float) -> None:
        """Let *run* in, also where the lane is full: what stands beside it could be overtaken by its own session.

        So a lane may hold what one poll brings above its limit; it holds the next poll back instead.
        """
        if lane.pace.gate(now) is not Gate.OPEN:
            super()._admit(run, now)
            return
        lane.add(run)

    def _admit_in_turn(self, run: Run, lane: OrderedLane, now: float) -> None:
        """Let those events in whose turn it is, before others that wait for them; the rest goes another way."""
        parts = self._order.sort(lane, run, self._clock.wall())
        is_open = lane.pace.gate(now) is Gate.OPEN
        if parts.go:
            self._enter(run if len(parts.go) == len(run) else run.pick(parts.go), lane, now)
        for tier, places in parts.hop.items():
            self._hop(run.pick(places), lane, now, HELD, tier if is_open else None)
        if parts.later:
            self._put_back(run.pick(parts.later))
        self._order.note(lane, parts.touched)
        self._follow(lane, now)

    def _put_back_early(self, run: Run) -> Run:
        """Let stay on its tier what is not due yet, and return the rest."""
        wall = self._clock.wall()
        assert run.marks is not None, "only what comes from a tier can be early"
        early = [at for at in range(run.start, run.stop) if run.marks[at].due_at > wall]
        if not early:
            return run
        self._put_back(run.pick(early))
        return run.pick([at for at in range(run.start, run.stop) if run.marks[at].due_at <= wall])

    def _is_stuck(self, lane: OrderedLane, now: float) -> bool:
        return lane.is_full and lane.waited(now) >= self._settings.overflow_after

    def _put_back(self, early: Run) -> None:
        self.weight -= early.weight
        self._outbox.append(Later(early))

    def _hopped(self, lane: Lane, hop: Hop) -> None:
        assert isinstance(lane, OrderedLane), ORDERED
        self._holding.add(lane)
        self._order.moved(lane, hop.run, hop.delay, hop.now)

    def _lines_of(self, runs: Sequence[Run]) -> Lines:
        return lambda: [self._order.key_of(run, at) for run in runs for at in range(run.start, run.stop)]

    def _learn(self, flight: Flight, now: float) -> None:
        lane, verdict = flight.lane, flight.verdict
        assert isinstance(lane, OrderedLane), ORDERED
        lane.land(flight.runs)
        if verdict is None:
            return
        failed = self._order.landed(lane, flight.runs, verdict.outcomes, verdict.posts, flight.delay, flight.judged_at)
        if failed:
            self._holding.add(lane)
            self._hop_behind(self._order.behind(lane, failed), lane, now)
        self._follow(lane, now)

    def _follow(self, lane: OrderedLane, now: float) -> None:
        """Send away what waited in the room for its session to drain, where it drains no more."""
        self._send_away(self._order.stranded(lane), lane, now)

    def _clear_room(self, lane: OrderedLane, now: float) -> None:
        for key in list(lane.room):
            self._send_away(lane.let_out(key), lane, now)

    def _send_away(self, runs: Sequence[Run], lane: OrderedLane, now: float) -> None:
        """Let what was read ahead stay on its tier, and the rest hop."""
        wall = self._clock.wall()
        for run in runs:
            if run.marks and run.marks[run.start].due_at > wall:
                self._put_back(run)
            else:
                self._hop_behind([run], lane, now)

    def _hop_behind(self, runs: Sequence[Run], lane: OrderedLane, now: float) -> None:
        for run in runs:
            for tier, part in self._order.by_tier(lane, run):
                self._hop(part, lane, now, HELD, tier)

    def _readmit(self, now: float) -> None:
        """Let the poll go on once there is room, or the lanes that have none stand still."""
        patience = self._settings.overflow_after
        self._full = {lane for lane in self._full if lane.is_full and lane.waited(now) < patience}

    def _pump(self, now: float) -> None:
        if now - self.heard_at <= SILENCE:
            super()._pump(now)
