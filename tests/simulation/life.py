"""One life of one worker process: the real crew, whose two threads are acts on the timeline."""

import asyncio
import traceback
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from headrace.delivery.crew import Crew, Plan, muster
from headrace.model.destination import Destination
from headrace.telemetry.metrics import Metrics
from simulation.broker import SimulatedBroker
from simulation.group import MOST_BETWEEN_POLLS, SESSION, Coordinator
from simulation.loop import Loop
from simulation.orgs import SimulatedSink
from simulation.scene import NAMES, Killed, Scene
from simulation.script import DESTINATIONS, Fault
from simulation.timeline import Act

BUSY = 0.02
"""Seconds between two turns of the owner while there is something to do: what a poll waits."""

IDLE = 0.64
"""The longest time between two turns."""


Rise = Callable[["Life", float], None]
"""Begins the next life of the worker, some seconds after this one is over."""


class Life:
    """Lives until it is killed or stopped; `restart` of the world begins another one."""

    def __init__(self, scene: Scene, group: Coordinator, worker: int, name: str, rise: Rise) -> None:
        self.worker = worker
        self.name = name
        self.is_dead = False
        self.is_frozen = False
        self.is_stopping = False
        self.deferred: list[Act] = []
        self._scene = scene
        self._rise = rise
        self._group = group
        self._stalled_until = 0.0
        self._pause = BUSY
        self._turns_at = float("inf")
        self._is_turning = False
        self._is_abandoned = False
        self._broker = SimulatedBroker(scene, self, group)
        self._loop = Loop(scene.timeline, self, scene.random)  # type: ignore[abstract]  # as much as delivery needs
        self._crew: Crew | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        crew = self._crew = muster(self._plan(), self._loop, Metrics())
        self._loop.is_idle = lambda: crew.weight == 0
        self._tasks.append(self._loop.create_task(crew.dispatcher.sweep()))
        self._scene.note(self.name, "starts")
        self.nudge()

    def suffer(self, fault: Fault) -> None:
        now, timeline = self._scene.timeline.now, self._scene.timeline
        match fault.blow:
            case "crash":
                self.die()
                self._expire_in(SESSION)
                self._rise(self, fault.span)
            case "freeze":
                self.is_frozen = True
                timeline.after(fault.span, self._thaw)
                if fault.span > SESSION:
                    self._expire_in(SESSION)
            case "stall":
                self._stalled_until = now + fault.span
                if fault.span > MOST_BETWEEN_POLLS:
                    self._expire_in(MOST_BETWEEN_POLLS)
            case "stop":
                self.is_stopping = True
                self._rise(self, fault.span)
                self.nudge()
            case "evict":
                self._expire_in(0.0)

    def die(self) -> None:
        """End at once; nothing that was in memory leaves any more."""
        self._drop_tasks()
        self.is_dead = True

    def nudge(self) -> None:
        """Have something to do soon."""
        self._pause = BUSY
        self._turn_in(BUSY * self._scene.random.uniform(0.2, 1.2))

    def _turn_in(self, delay: float) -> None:
        at = self._scene.timeline.now + delay
        if at < self._turns_at and not self._is_turning:
            self._turns_at = at
            self._scene.timeline.after(delay, partial(self._turn, at), self)

    def _turn(self, at: float) -> None:
        if at != self._turns_at or self._crew is None:
            return
        self._turns_at = float("inf")
        if self._scene.timeline.now < self._stalled_until:
            self._turn_in(self._stalled_until - self._scene.timeline.now)
            return
        self._is_turning = True
        self._pause = min(IDLE, self._pause * 2)
        try:
            if self.is_stopping:
                self._finish(self._crew)
            else:
                self._crew.owner.turn()
        except Killed:
            return
        except Exception as fault:  # noqa: BLE001  # whatever it is, it would have ended the worker
            self._break(fault)
            return
        finally:
            self._is_turning = False
        if self._crew.dispatcher.fault is not None:
            self._break(self._crew.dispatcher.fault)
        elif not self.is_dead:
            self._turn_in(self._pause * self._scene.random.uniform(0.5, 1.0))

    def _finish(self, crew: Crew) -> None:
        """Drain, as `Worker.run` ends."""
        crew.owner.finish()
        self._drop_tasks()
        crew.producer.close(2.0)
        self._scene.note(self.name, "has stopped")
        self.die()

    def _thaw(self) -> None:
        self.is_frozen = False
        self._scene.note(self.name, "thaws")
        for act in self.deferred:
            self._scene.timeline.after(0.0, act, self)
        self.deferred.clear()

    def _expire_in(self, seconds: float) -> None:
        members = [consumer.member for consumer in self._broker.consumers]
        for member in members:
            self._scene.timeline.after(seconds, partial(self._group.expire, member))

    def _break(self, fault: BaseException) -> None:
        place = traceback.extract_tb(fault.__traceback__)[-1]
        self._scene.judge.blame("broke", f"{self.name}: {fault!r} in {place.name}, line {place.lineno}")
        self.die()
        self._expire_in(SESSION)

    def _drop_tasks(self) -> None:
        """Unwind what is under way, now that nothing it does can reach anybody."""
        if self._crew is None or self._is_abandoned:
            return
        self._is_abandoned = True
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self._loop)
        try:
            self._loop.abandon(self._crew.dispatcher.abandon(), self._tasks)
        finally:
            asyncio._set_running_loop(before)

    def _plan(self) -> Plan:
        scene, script = self._scene, self._scene.script
        destinations = {
            name: Destination(
                name=name, type="simulated", settings=msgspec.Struct(), shared=name == "log" and script.is_shared
            )
            for name in DESTINATIONS
        }
        routes = {org.name: [destinations[name] for name in org.routes] for org in script.orgs}

        def routes_of(org: str) -> Sequence[Destination]:
            return routes.get(org, ())

        return Plan(
            settings=script.settings,
            schedule=scene.schedule,
            names=NAMES,
            broker=self._broker,
            routes=routes_of,
            destinations=destinations,
            sinks={name: SimulatedSink(scene, self, name) for name in DESTINATIONS},
            clock=scene.timeline,
            max_record_bytes=1 << 20,
        )
