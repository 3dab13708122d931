"""An ordered dispatcher on a virtual loop, with a destination in the test's hand."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec

from headrace.core.schedule import RetrySchedule
from headrace.delivery.order import Order, Tail
from headrace.delivery.ordered_dispatcher import OrderedDispatcher
from headrace.delivery.outbox import Hop, Later, Outbox
from headrace.delivery.settings import DeliverySettings
from headrace.model.batch import Batch
from headrace.model.destination import Destination
from headrace.model.outcome import (
    AllDelivered,
    Answer,
    Retryable,
)
from headrace.model.record import Origin
from headrace.model.units import Duration
from headrace.testing.clock import FakeClock, run_virtually
from ordering import MAIN, Stage

FIRST = Duration(5)
SCHEDULE = RetrySchedule([FIRST, Duration(30), Duration(300)], Duration(86_400))
FAILED = Retryable("locked")
crm = Destination(name="crm", type="memory", settings=msgspec.Struct())
log = Destination(name="crm", type="memory", settings=msgspec.Struct(), shared=True)


class HandSink:
    """Answers a post when the test says so, or at once as long as `answers` says what."""

    def __init__(self) -> None:
        self.posts: list[str] = []
        self.answers: Callable[[Batch], Answer] | None = lambda _: AllDelivered()
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    async def write(self, batch: Batch) -> Answer:
        names = " ".join(batch.ids)
        self.posts.append(names)
        if self.answers is not None:
            return self.answers(batch)
        self._waiting[names] = asyncio.get_running_loop().create_future()
        return await self._waiting[names]

    async def answer(self, names: str, answer: Answer) -> None:
        self._waiting.pop(names).set_result(answer)
        await asyncio.sleep(0.03)

    async def aclose(self) -> None:
        """Nothing is held."""


class Bench:
    """An ordered dispatcher, its destination, and what it reported."""

    def __init__(self, clock: FakeClock, *, by_org: bool, destination: Destination, **settings: object) -> None:
        self.clock = clock
        self.destination = destination
        self.outbox = Outbox()
        self.sink = HandSink()
        self.stage = Stage(clock, destination)
        self.order = Order(MAIN, SCHEDULE, by_org=by_org)
        told = msgspec.structs.replace(DeliverySettings(), **settings)
        self.dispatcher = OrderedDispatcher(told, SCHEDULE, {"crm": self.sink}, self.outbox, clock, self.order)
        self.is_heard = True

    async def fresh(self, names: str, org: str = "acme", partition: int = 0) -> None:
        """Offer events of the main topic, and let the linger pass."""
        self.dispatcher.offer([self.stage.fresh(names, org=org, partition=partition)])
        await asyncio.sleep(0.03)

    async def due(
        self,
        names: str,
        attempts: int = 0,
        due_in: float = 0.0,
        partition: int = 0,
        since: float | Sequence[float] = 5.0,
    ) -> None:
        """Offer events of a tier, and let the linger pass."""
        run = self.stage.due(names, attempts=attempts, due_in=due_in, partition=partition, since=since)
        self.dispatcher.offer([run])
        await asyncio.sleep(0.03)

    def restore(self, names: str, attempts: int = 0) -> None:
        """Say that these were found on the first tier."""
        self.dispatcher.restore(
            [
                Tail(
                    "acme",
                    self.destination,
                    f"acme/{name[0]}".encode(),
                    Origin(MAIN, 0, int(name[1:])),
                    FIRST,
                    attempts,
                )
                for name in names.split()
            ]
        )

    def hops(self, reason: str = "held") -> str:
        """Name what hopped for that reason."""
        runs = [each.run for each in self.outbox if isinstance(each, Hop) and each.reason == reason]
        return " ".join(name for run in runs for name in run.ids[run.start : run.stop])

    def line(self, session: str) -> str:
        """Name what was posted of one session."""
        return " ".join(name for names in self.sink.posts for name in names.split() if name[0] == session)

    def put_back(self) -> str:
        """Name what stays on its tier."""
        runs = [each.run for each in self.outbox if isinstance(each, Later)]
        return " ".join(name for run in runs for name in run.ids[run.start : run.stop])

    def held(self) -> int:
        self.dispatcher.look_around(self.clock.monotonic())
        return self.dispatcher.sessions_held

    async def hear(self) -> None:
        """Play the owner, who says all the time that its partitions are its own."""
        while True:
            if self.is_heard:
                self.dispatcher.heard_at = self.clock.monotonic()
            await asyncio.sleep(0.1)


Scenario = Callable[[Bench], Awaitable[None]]


def play(scenario: Scenario, *, by_org: bool = False, destination: Destination = crm, **settings: object) -> Bench:
    """Run a scenario beside the sweeper; at its end the memory that is counted is what is held."""

    async def main(clock: FakeClock) -> Bench:
        bench = Bench(clock, by_org=by_org, destination=destination, **settings)
        loop = asyncio.get_running_loop()
        chores = [loop.create_task(bench.dispatcher.sweep()), loop.create_task(bench.hear())]
        await scenario(bench)
        waiting = sum(lane.weight for lane in bench.dispatcher._lanes.values())
        flying = sum(run.weight for flight in bench.dispatcher._flights for run in flight.runs)
        assert bench.dispatcher.weight == waiting + flying
        for chore in chores:
            chore.cancel()
            with suppress(asyncio.CancelledError):
                await chore
        await bench.dispatcher.abandon()
        assert bench.dispatcher.fault is None
        return bench

    return run_virtually(main)
