"""One worker process: an event loop with the lanes, an owner thread with the consumer, and an orderly end."""

import asyncio
import gc
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec
import structlog

from headrace.broker.port import Broker, Consumer, Reader
from headrace.clock import Clock
from headrace.core.schedule import RetrySchedule
from headrace.delivery.books import Books
from headrace.delivery.dispatcher import Dispatcher
from headrace.delivery.intake import Intake, RoutesOf
from headrace.delivery.mailer import Mailer
from headrace.delivery.outbox import Outbox
from headrace.delivery.owner import Owner
from headrace.delivery.settings import DeliverySettings
from headrace.delivery.settler import Settler
from headrace.delivery.trimming import trim_while_filled
from headrace.errors import TopicMissing
from headrace.model.destination import Destination
from headrace.sinks.port import Sink
from headrace.telemetry.metrics import Metrics
from headrace.wire.topics import TopicNames

PRODUCER_MEMORY = 64 << 20
"""Bytes that the worker's producer may queue; what does not fit waits in the mailer, within the worker's memory."""

SWITCH_INTERVAL = 0.0005
"""Seconds that the event loop waits, after each call that lets the interpreter go, until the owner thread gives it up.
Python's 5 ms, many times a post, make posts look as if they hung while a backlog is read."""

YOUNG_OBJECTS = 20_000
"""New objects after which Python looks for cycles among them. At its 700 it looks at the records of one poll several
times over, which costs more than to poll them."""

log = structlog.get_logger(__name__)

Serves = Literal["all", "main", "retry"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that one worker is made of."""

    settings: DeliverySettings
    schedule: RetrySchedule
    names: TopicNames
    broker: Broker
    routes: RoutesOf
    destinations: Mapping[str, Destination]
    sinks: Mapping[str, Sink]
    clock: Clock
    max_record_bytes: int
    """The largest record that retry and dead topics take."""
    serves: Serves = "all"


class Worker:
    """Reads the main topic and the tiers, and writes to destinations, until it is told to stop."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._owner: Owner | None = None
        self._is_stopped = False
        self.metrics = Metrics()

    def stop(self) -> None:
        """Ask for the drain; harmless before `run` and when repeated."""
        self._is_stopped = True
        if self._owner is not None:
            self._owner.stop()

    async def run(self) -> None:
        """Work until stopped. Raises what broke the worker; whatever it had not committed comes again."""
        plan, loop = self._plan, asyncio.get_running_loop()
        outbox = Outbox()
        producer = plan.broker.producer(memory=PRODUCER_MEMORY, max_message_bytes=plan.max_record_bytes)
        mailer = Mailer(producer, plan.clock)
        dispatcher = Dispatcher(
            plan.settings, plan.schedule, plan.sinks, outbox, plan.clock, probes_fresh=plan.serves == "main"
        )
        ended = asyncio.Event()
        self._owner = owner = self._make_owner(mailer, dispatcher, outbox, loop)
        if self._is_stopped:
            owner.stop()

        def work() -> None:
            owner.run()
            loop.call_soon_threadsafe(ended.set)

        thread = threading.Thread(target=work, name="headrace-owner", daemon=True)
        chores = [
            loop.create_task(dispatcher.sweep()),
            loop.create_task(trim_while_filled(lambda: dispatcher.weight + outbox.weight + mailer.weight)),
        ]
        thread.start()
        try:
            await ended.wait()
        finally:
            owner.stop()
            for chore in chores:
                chore.cancel()
            await dispatcher.abandon()
            for sink in plan.sinks.values():
                await sink.aclose()
            await asyncio.to_thread(producer.close, 2.0)
        if owner.fault is not None:
            raise owner.fault
        log.info("delivery.stopped")

    def _make_owner(
        self, mailer: Mailer, dispatcher: Dispatcher, outbox: Outbox, loop: asyncio.AbstractEventLoop
    ) -> Owner:
        plan = self._plan
        reader = plan.broker.reader()
        return Owner(
            connect=self._consumer,
            topics=_topics(plan, reader),
            main_topic=plan.names.events,
            intake=Intake(plan.routes, plan.destinations),
            settler=Settler(plan.names, plan.schedule, mailer, plan.clock, self.metrics),
            mailer=mailer,
            books=Books(uuid.uuid4().hex[:12], plan.names.attempts, mailer, plan.clock),
            dispatcher=dispatcher,
            outbox=outbox,
            loop=loop,
            clock=plan.clock,
            metrics=self.metrics,
            log_start=lambda place: reader.bounds(place.topic)[place.partition][0],
            memory=plan.settings.memory,
            drain=plan.settings.drain,
        )

    def _consumer(self, owner: Owner) -> Consumer:
        return self._plan.broker.consumer(self._plan.names.group, owner)


def _topics(plan: Plan, reader: Reader) -> Callable[[], Sequence[str]]:
    """Name what the worker subscribes to: the main topic, and every retry topic that exists, configured or not."""
    wanted = [plan.names.events, plan.names.dead, plan.names.attempts, *map(plan.names.retry, plan.schedule.tiers)]

    def topics() -> Sequence[str]:
        present = reader.topics()
        missing = [name for name in wanted if name not in present]
        if missing:
            raise TopicMissing(f"the topic {missing[0]} does not exist: `headrace topics apply` makes it")
        tiers = sorted(name for name in present if plan.names.delay_of(name) is not None)
        return {
            "all": [plan.names.events, *tiers],
            "main": [plan.names.events],
            "retry": tiers,
        }[plan.serves]

    return topics


async def run_until_signalled(worker: Worker) -> None:
    """Run *worker* until SIGTERM or SIGINT asks it to drain; a second signal changes nothing.

    The process is taken to be the worker's own: the interpreter is set to its two threads and its many records.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await worker.run()
