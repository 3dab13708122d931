"""The event loop's half of a worker: runs enter lanes, batches are sealed when an executor is free, and posted.

Nothing here touches Kafka. What became of a run goes to the outbox, from which the owner thread settles it.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

from headrace.clock import Clock
from headrace.core.lanes import Lane, LaneLimits
from headrace.core.pacing import Gate
from headrace.core.runs import Run
from headrace.core.schedule import RetrySchedule
from headrace.core.shares import Shares
from headrace.delivery.census import Census
from headrace.delivery.flight import Flight
from headrace.delivery.outbox import Hop, Outbox
from headrace.delivery.posting import Lines
from headrace.delivery.settings import DeliverySettings
from headrace.model.destination import Destination
from headrace.model.pause import Pause
from headrace.model.units import Duration
from headrace.sinks.port import Sink
from headrace.telemetry.metrics import Metrics

SWEEP = 0.1
"""Seconds between looks at posts that hang, lanes that are full and memory that runs out."""

EVERYBODY = "*"
"""The org of a lane that all orgs share."""


class Dispatcher:
    """Lanes, executors and their shares.

    All but `holds_back`, `weight` and `fault` belongs to the event loop.
    """

    def __init__(
        self,
        settings: DeliverySettings,
        schedule: RetrySchedule,
        sinks: Mapping[str, Sink],
        outbox: Outbox,
        clock: Clock,
        *,
        probes_fresh: bool = False,
        metrics: Metrics | None = None,
    ) -> None:
        self._settings = settings
        self._schedule = schedule
        self._sinks = sinks
        self._outbox = outbox
        self._clock = clock
        self._probes_fresh = probes_fresh
        self._metrics = metrics or Metrics()
        self._limits = LaneLimits(
            batch_events=settings.batch_events,
            batch_bytes=settings.batch_bytes,
            linger=settings.batch_linger,
            lane_events=settings.lane_events,
            lane_bytes=max(settings.batch_bytes, settings.memory // 4),
            posts=settings.posts_in_flight_per_destination,
        )
        self._shares = Shares(settings.posts_in_flight)
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._ripe: deque[Lane] = deque()
        self._suspects: deque[Lane] = deque()
        self._lingering: deque[tuple[float, Lane]] = deque()
        self._linger_timer: asyncio.TimerHandle | None = None
        self._held: deque[Run] = deque()
        self._flights: dict[Flight, asyncio.Task[None]] = {}
        self._answered_at = clock.monotonic()
        self._pauses: Mapping[str, Pause] = {}
        self._is_draining = False
        self._is_closed = False
        self.fault: BaseException | None = None
        self.weight = 0
        """Bytes in lanes, held back and in flight."""

    @property
    def holds_back(self) -> bool:
        """Whether the owner should not poll: a full lane may still get room."""
        return bool(self._held)

    def offer(self, runs: Sequence[Run]) -> None:
        """Take runs from a poll into their lanes, or move them on at once where a lane is parked or overflows."""
        now = self._clock.monotonic()
        self.weight += sum(run.weight for run in runs)
        if self._held:
            self._held += runs
            self._readmit(now)
        else:
            for run in runs:
                self._admit(run, now)
        self._pump(now)

    async def sweep(self) -> None:
        """Look after what no event wakes: hanging posts, full lanes, memory. Runs until it is cancelled."""
        while True:
            await asyncio.sleep(SWEEP)
            self.look_around(self._clock.monotonic())

    def look_around(self, now: float) -> None:
        """Do what `sweep` does every `SWEEP` seconds."""
        self._suspect_the_hanging(now)
        self._relieve_memory(now)
        self._readmit(now)
        self._pump(now)

    def decide(self, pauses: Mapping[str, Pause]) -> None:
        """Let what is named in *pauses* get no posts from now on, and everything else again."""
        self._pauses = pauses
        for lane in list(self._lanes.values()):
            self._obey(lane)

    def drain(self) -> None:
        """Seal without linger from now on: no more events will come."""
        self._is_draining = True
        for lane in self._lanes.values():
            self._queue(lane, self._clock.monotonic())
        self._pump(self._clock.monotonic())

    def census(self) -> Mapping[str, Census]:
        """Count the lanes of each destination, and what they hold."""
        now = self._clock.monotonic()
        counted: dict[str, Census] = {}
        for lane in self._lanes.values():
            counted.setdefault(lane.destination.name, Census()).add(lane, now)
        return counted

    async def abandon(self) -> None:
        """Cancel all posts; their events stay uncommitted and come again."""
        self._is_closed = True
        tasks = list(self._flights.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def landed(self, flight: Flight) -> None:
        """Take a post's end: free its executor, act on what it says of the destination, let others start."""
        del self._flights[flight]
        lane = flight.lane
        lane.posts -= 1
        self._shares.end(suspect=flight.is_suspect)
        self.weight -= sum(run.weight for run in flight.runs)
        now = self._clock.monotonic()
        self._learn(flight, now)
        if lane.pace.failures == 0:
            self._answered_at = now
        if now < lane.pace.shut_until or lane.is_idle:
            lane.pace.probing = False
        if lane.pace.gate(now) is not Gate.OPEN and not lane.pace.probing:
            self._evict(lane, now, lane.pace.why)
        self._queue(lane, now)
        self._readmit(now)
        self._pump(now)

    def _admit(self, run: Run, now: float) -> None:
        lane = self._lane(run.org, run.destination)
        gate = lane.pace.gate(now)
        if gate is Gate.PROBE and (run.marks or self._probes_fresh):
            lane.pace.probing = True
            probe = run if len(run) <= lane.pace.probe_events else run.cut(lane.pace.probe_events)
            lane.add(probe)
            self._queue(lane, now)
            if probe is run:
                return
        if gate is not Gate.OPEN:
            self._hop(run, lane, now, lane.pace.why)
        elif not lane.is_full:
            lane.add(run)
            self._queue(lane, now)
        elif lane.waited(now) >= self._settings.overflow_after:
            self._hop(run, lane, now, "overflow")
        else:
            self._held.append(run)

    def _readmit(self, now: float) -> None:
        """Try again what was held back; the order within a lane stays."""
        held, self._held = self._held, deque()
        for run in held:
            self._admit(run, now)

    def _hop(self, run: Run, lane: Lane, now: float, reason: str, tier: Duration | None = None) -> None:
        self.weight -= run.weight
        if not run.chunk.assignment.is_leaving:
            delay = tier or lane.pace.hop(now, self._schedule)
            hop = Hop(run, delay, reason, self._clock.wall(), lane.pace.is_paused)
            self._outbox.append(hop)
            self._hopped(lane, hop)

    def _evict(self, lane: Lane, now: float, reason: str) -> None:
        """Move on all that waits in a lane, a probe that has not started included."""
        if lane.posts == 0:
            lane.pace.probing = False
        waiting = lane.weight
        runs = lane.clear()
        self.weight -= waiting - sum(run.weight for run in runs)
        for run in runs:
            self._hop(run, lane, now, reason)

    def _lane(self, org: str, destination: Destination) -> Lane:
        org = EVERYBODY if destination.shared else org
        lane = self._lanes.get((org, destination.name))
        if lane is None:
            lane = self._lanes[org, destination.name] = self._open(org, destination)
            self._obey(lane)
        return lane

    def _obey(self, lane: Lane) -> None:
        """Pause a lane or let it go on, as people have decided."""
        name = lane.destination.name
        pause = self._pauses.get(name) or self._pauses.get(f"{name}/{lane.org}")
        if pause is None:
            lane.pace.paused_at = None
        elif not lane.pace.is_paused:
            now = self._clock.monotonic()
            lane.pace.paused_at = now - max(0.0, self._clock.wall() - pause.at)
            self._evict(lane, now, lane.pace.why)

    def _open(self, org: str, destination: Destination) -> Lane:
        return Lane(org, destination, self._limits)

    def _lines_of(self, runs: Sequence[Run]) -> Lines | None:  # noqa: ARG002  # nothing is asked of them here
        """Where order matters, say whose order each event of a batch is kept in."""
        return None

    def _learn(self, flight: Flight, now: float) -> None:
        """Where order matters, act on what a post came to before the next one starts."""

    def _hopped(self, lane: Lane, hop: Hop) -> None:
        """Where order matters, note that events left a lane for a tier."""

    def _queue(self, lane: Lane, now: float) -> None:
        """Let a lane wait for an executor if a batch may be sealed, else for its linger."""
        if lane.is_queued or lane.events == 0 or not lane.may_post():
            return
        if self._is_draining or lane.pace.probing or lane.is_ripe(now):
            lane.is_queued = True
            self._ripe.append(lane)
        else:
            self._lingering.append((lane.ripens_at(), lane))
            self._arm_linger()

    def _arm_linger(self) -> None:
        if self._linger_timer is None and self._lingering:
            delay = self._lingering[0][0] - self._clock.monotonic()
            self._linger_timer = asyncio.get_running_loop().call_later(max(0.001, delay), self._end_linger)

    def _end_linger(self) -> None:
        self._linger_timer = None
        now = self._clock.monotonic()
        while self._lingering and self._lingering[0][0] <= now:
            self._queue(self._lingering.popleft()[1], now)
        self._arm_linger()
        self._pump(now)

    def _pump(self, now: float) -> None:
        """Give free executors to lanes in turn; suspects wait apart while hanging posts hold their quarter."""
        if self._is_closed:
            return
        if self._suspects and self._shares.admits(suspect=True):
            self._ripe.append(self._suspects.popleft())
        while self._ripe and self._shares.admits(suspect=False):
            lane = self._ripe.popleft()
            if lane.pace.is_suspect and not self._shares.admits(suspect=True):
                self._suspects.append(lane)
                continue
            lane.is_queued = False
            if lane.events and lane.may_post():
                self._start(lane, now)
                self._queue(lane, now)

    def _start(self, lane: Lane, now: float) -> None:
        waiting = lane.weight
        runs = lane.take()
        self.weight -= waiting - lane.weight - sum(run.weight for run in runs)
        if not runs:
            lane.pace.probing = False
            return
        sink, lines = self._sinks[lane.destination.name], self._lines_of(runs)
        flight = Flight(lane, runs, now, sink, self._outbox, self._clock, self._schedule, lines, self._metrics)
        lane.posts += 1
        self._shares.start(suspect=flight.is_suspect)
        task = asyncio.get_running_loop().create_task(flight.carry(self.landed))
        task.add_done_callback(self._note_fault)
        self._flights[flight] = task
        if flight.is_probe:
            self._evict(lane, now, lane.pace.why)

    def _note_fault(self, task: asyncio.Task[None]) -> None:
        """Keep what broke a flight: it is a bug of ours, and the worker must stop rather than hang."""
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.fault = fault

    def _suspect_the_hanging(self, now: float) -> None:
        """Count long posts as hanging; beyond their quarter, end those whose destination was silent longest."""
        is_over = False
        for flight in self._flights:
            flight.attended += SWEEP
            if not flight.is_suspect and flight.hangs(now):
                flight.is_suspect = True
                is_over = self._shares.suspect()
        if is_over:
            hanging = [flight for flight in self._flights if flight.hangs(now)]
            hanging.sort(key=lambda flight: flight.lane.pace.answered_at or 0.0)
            for flight in hanging[: self._shares.hanging - self._shares.quarter]:
                flight.posting.cut(self._flights[flight])

    def _stands_still(self, lane: Lane, now: float) -> bool:
        """Tell whether its destination keeps a lane waiting; one that waits for an executor only has to wait."""
        patience = self._settings.overflow_after
        waits_its_turn = lane.is_queued and not lane.pace.is_suspect and now - self._answered_at < patience
        return not waits_its_turn and lane.waited(now) >= patience

    def _relieve_memory(self, now: float) -> None:
        """When memory has run out, lanes that stand still give theirs up, the largest first."""
        if self.weight < self._settings.memory:
            return
        for lane in sorted(self._lanes.values(), key=lambda lane: -lane.weight):
            if self._stands_still(lane, now):
                self._evict(lane, now, "overflow")
            if self.weight < self._settings.memory // 2:
                return
