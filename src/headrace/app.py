"""The assembly: the only module that knows every room. It makes things out of a configuration, no more."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from headrace.broker import topics
from headrace.broker.kafka import KafkaBroker
from headrace.broker.port import Broker
from headrace.broker.topics_settings import LARGER
from headrace.checks import look
from headrace.clock import SystemClock
from headrace.config import Config, EventlogDestination
from headrace.control.pauses import Pauses, Pausing
from headrace.core.schedule import RetrySchedule
from headrace.core.topicplan import Change
from headrace.delivery.crew import Plan, Serves
from headrace.delivery.worker import Worker
from headrace.emitter.emitter import Emitter
from headrace.errors import TopicMissing
from headrace.eventlog.opening import Store, open_event_log
from headrace.eventlog.retention import Expiring
from headrace.eventlog.sink import EventLogSink
from headrace.model.destination import Destination
from headrace.model.finding import Finding
from headrace.orgs.routes import Routes
from headrace.retry.aims import Ways
from headrace.retry.redrive import PATIENCE, Redriver
from headrace.sinks.http import HTTP
from headrace.sinks.port import Sink
from headrace.sinks.registry import Registry, SinkType
from headrace.telemetry import listener, otlp
from headrace.telemetry.prometheus import Exposition

REDRIVE_MEMORY = 64 << 20
"""Bytes that a redrive may queue."""


def broker(config: Config) -> Broker:
    """Return the cluster of the configuration; nothing is connected yet."""
    return KafkaBroker(config.kafka)


def topic_changes(config: Config, *, accept_reorder: bool = False) -> list[Change]:
    """Return what the topics of the configuration still want, changes that are refused included."""
    made = broker(config)
    wanted = topics.layout(config.topics, config.retry.tiers, ordered=config.delivery.ordering != "any")
    return topics.plan(made.admin(), made.reader, wanted, config.names, accept_reorder=accept_reorder)


def apply_topics(config: Config) -> None:
    """Make the topics of the configuration what they should be; what is refused is left as it is."""
    topics.apply(broker(config).admin(), topic_changes(config), lambda _: None)


def schedule(config: Config) -> RetrySchedule:
    """Return the retry schedule of the configuration."""
    return RetrySchedule(config.retry.tiers, config.retry.give_up_after)


def registry(config: Config, http: SinkType = HTTP) -> Registry:
    """Return the types of sinks that there are, made for this configuration."""

    def open_store() -> Store:
        return open_event_log(config.eventlog, SystemClock())

    def make_eventlog(_: Destination, timeout: float) -> Sink:
        store, expiring = open_store(), Expiring(open_store, SystemClock(), config.eventlog.retention)
        return EventLogSink(store, timeout, expiring)

    eventlog = SinkType(name="eventlog", settings=EventlogDestination, make=make_eventlog, shared=True)
    return Registry([http, eventlog])


def destinations_of(config: Config) -> Callable[[str], Sequence[str]]:
    """Return what names an org's destinations by the routes in force, for those who post nothing."""
    routes = Routes(config.routes, config.destinations)
    return lambda org: [destination.name for destination in routes.of(org)]


def worker(config: Config, serves: Serves = "all") -> Worker:
    """Return a worker that serves all of the configuration's topics, or only the main one or the tiers."""
    routes = Routes(config.routes, config.destinations)
    types = registry(config)
    sinks = {name: types.make(each, config.delivery.timeout) for name, each in config.destinations.items()}
    return Worker(
        Plan(
            settings=config.delivery,
            schedule=schedule(config),
            names=config.names,
            broker=broker(config),
            routes=routes.of,
            destinations=config.destinations,
            sinks=sinks,
            clock=SystemClock(),
            max_record_bytes=LARGER * config.topics.max_message_bytes,
            serves=serves,
            pauses=pauses(config).look,
            by_destination=config.telemetry.by_destination,
        )
    )


@contextmanager
def overseen(config: Config, worker: Worker, seat: int = 0) -> Iterator[None]:
    """Let *worker*, the one with the number *seat* of several, be looked after while the context lasts.

    Raise `HeadraceError` when its port is taken, and `ConfigError` when traces are asked for that cannot be sent.
    """
    settings = config.telemetry
    if settings.traces == "otlp":
        otlp.send_traces("headrace-worker")
    if not settings.metrics_port:
        yield
        return
    vitals = worker.vitals
    paths = listener.routes(Exposition(vitals.values), vitals.livez, vitals.readyz)
    with listener.Listener(settings.metrics_host, settings.metrics_port + seat, paths):
        yield


def pauses(config: Config) -> Pauses:
    """Return what tells which destinations people have paused."""
    return Pauses(broker(config).reader, config.names, SystemClock())


def pausing(config: Config) -> Pausing:
    """Return what pauses destinations, and lets them go on."""
    wanted = config.topics
    return Pausing(broker(config), config.names, replication=wanted.replication, in_sync=wanted.in_sync)


def emitter(config: Config) -> Emitter:
    """Return an emitter for the configuration's cluster; its owner closes it."""
    return Emitter(
        broker(config),
        topic=config.names.events,
        settings=config.emitter,
        ordering=config.delivery.ordering,
        max_message_bytes=config.topics.max_message_bytes,
    )


@contextmanager
def redriver(config: Config, seen: Callable[[int], None] = lambda _: None) -> Iterator[Redriver]:
    """Yield what puts dead letters back; raise `TopicMissing` where there is no first tier. *seen* hears how many."""
    made = broker(config)
    # A reader of its own: values are looked up while letters are being read.
    reader = made.reader()
    largest = LARGER * config.topics.max_message_bytes
    producer = made.producer(memory=REDRIVE_MEMORY, patience=PATIENCE, max_message_bytes=largest)
    ways = Ways(destinations_of(config), config.destinations, config.retry.tiers[0])
    tier = config.names.retry(ways.tier)
    try:
        if tier not in reader.topics():
            raise TopicMissing(f"the topic {tier} does not exist: `headrace topics apply` makes it")
        yield Redriver(reader, producer, config.names, ways, SystemClock(), seen=seen)
    finally:
        producer.close(0.0)
        reader.close()


def checks(config: Config) -> Iterator[Finding]:
    """Yield what `headrace doctor` finds."""
    return look(config, lambda: topic_changes(config))
