"""What one worker is made of, and who knows whom: the only place where its parts are put together."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from headrace.broker.port import Broker, Consumer, Producer, Reader
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
from headrace.errors import TopicMissing
from headrace.model.destination import Destination
from headrace.sinks.port import Sink
from headrace.telemetry.metrics import Metrics
from headrace.wire.topics import TopicNames

PRODUCER_MEMORY = 64 << 20
"""Bytes that the worker's producer may queue; what does not fit waits in the mailer, within the worker's memory."""

Serves = Literal["all", "main", "retry"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that one worker is told."""

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


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of one worker, ready to run: `owner` on a thread, `dispatcher` on the event loop."""

    owner: Owner
    dispatcher: Dispatcher
    outbox: Outbox
    mailer: Mailer
    producer: Producer

    @property
    def weight(self) -> int:
        """Bytes of events that the worker holds."""
        return self.dispatcher.weight + self.outbox.weight + self.mailer.weight


def muster(plan: Plan, loop: asyncio.AbstractEventLoop, metrics: Metrics) -> Crew:
    """Put a worker together, whose owner hands its runs to *loop*; nothing runs yet."""
    outbox = Outbox()
    producer = plan.broker.producer(memory=PRODUCER_MEMORY, max_message_bytes=plan.max_record_bytes)
    mailer = Mailer(producer, plan.clock)
    dispatcher = Dispatcher(
        plan.settings, plan.schedule, plan.sinks, outbox, plan.clock, probes_fresh=plan.serves == "main"
    )
    reader = plan.broker.reader()

    def consumer(owner: Owner) -> Consumer:
        return plan.broker.consumer(plan.names.group, owner)

    owner = Owner(
        connect=consumer,
        topics=_topics(plan, reader),
        main_topic=plan.names.events,
        intake=Intake(plan.routes, plan.destinations),
        settler=Settler(plan.names, plan.schedule, mailer, plan.clock, metrics),
        mailer=mailer,
        books=Books(uuid.uuid4().hex[:12], plan.names.attempts, mailer, plan.clock),
        dispatcher=dispatcher,
        outbox=outbox,
        loop=loop,
        clock=plan.clock,
        metrics=metrics,
        log_start=lambda place: reader.bounds(place.topic)[place.partition][0],
        memory=plan.settings.memory,
        drain=plan.settings.drain,
    )
    return Crew(owner=owner, dispatcher=dispatcher, outbox=outbox, mailer=mailer, producer=producer)


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
