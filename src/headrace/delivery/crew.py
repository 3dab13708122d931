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
from headrace.delivery.cohorts import Cohorts
from headrace.delivery.dispatcher import Dispatcher
from headrace.delivery.hearing import Look
from headrace.delivery.intake import Intake, RoutesOf
from headrace.delivery.mailer import Mailer
from headrace.delivery.order import Order, Tail
from headrace.delivery.ordered_dispatcher import OrderedDispatcher
from headrace.delivery.outbox import Outbox
from headrace.delivery.owner import Owner
from headrace.delivery.scan import read_tail
from headrace.delivery.sequence import Sequencer
from headrace.delivery.settings import DeliverySettings
from headrace.delivery.settler import Settler, TooLarge
from headrace.delivery.tier_clock import TierClock
from headrace.delivery.tiers import Tiers
from headrace.errors import TopicMissing
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.record import Record
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
    pauses: Look = dict
    """Tells what people have paused; nothing by default."""
    by_destination: bool = False
    """Whether metrics tell destinations apart."""


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
    reader = plan.broker.reader()
    sequence = Sequencer(lambda place: reader.bounds(place.topic)[place.partition][0])
    dispatcher, tiers, on_too_large = _keep_order(plan, loop, outbox, reader, sequence, metrics)

    def consumer(owner: Owner) -> Consumer:
        return plan.broker.consumer(plan.names.group, owner)

    owner = Owner(
        connect=consumer,
        topics=_topics(plan, reader),
        main_topic=plan.names.events,
        intake=Intake(plan.routes, plan.destinations),
        settler=Settler(plan.names, plan.schedule, mailer, plan.clock, metrics, on_too_large),
        mailer=mailer,
        books=Books(uuid.uuid4().hex[:12], plan.names.attempts, mailer, plan.clock, metrics),
        dispatcher=dispatcher,
        outbox=outbox,
        loop=loop,
        clock=plan.clock,
        metrics=metrics,
        sequence=sequence,
        tiers=tiers,
        memory=plan.settings.memory,
        drain=plan.settings.drain,
    )
    return Crew(owner=owner, dispatcher=dispatcher, outbox=outbox, mailer=mailer, producer=producer)


def _keep_order(
    plan: Plan, loop: asyncio.AbstractEventLoop, outbox: Outbox, reader: Reader, sequence: Sequencer, metrics: Metrics
) -> tuple[Dispatcher, Tiers, TooLarge | None]:
    """Make the parts that differ by ordering."""
    settings, schedule, clock = plan.settings, plan.schedule, plan.clock
    if settings.ordering == "any":
        probes_fresh = plan.serves == "main"
        dispatcher = Dispatcher(
            settings, schedule, plan.sinks, outbox, clock, probes_fresh=probes_fresh, metrics=metrics
        )
        return dispatcher, TierClock(sequence, settings.memory), None
    order = Order(plan.names.events, schedule, by_org=settings.ordering == "org")
    ordered = OrderedDispatcher(settings, schedule, plan.sinks, outbox, clock, order, metrics)

    def bury(org: str, mark: Mark, record: Record) -> None:
        destination = plan.destinations[mark.destination]
        loop.call_soon_threadsafe(ordered.bury, org, destination, record.key() or b"", mark.origin)

    def tail_of(record: Record) -> Tail | None:
        return read_tail(record, plan.names, plan.destinations)

    cohorts = Cohorts(
        main_topic=plan.names.events,
        destinations=plan.destinations,
        dispatcher=ordered,
        on_loop=loop.call_soon_threadsafe,
        bounds=reader.bounds,
        sequence=sequence,
        tail_of=tail_of,
        delay_of=lambda topic: plan.names.delay_of(topic) or 0.0,
        clock=clock,
        metrics=metrics,
    )
    return ordered, cohorts, bury


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
