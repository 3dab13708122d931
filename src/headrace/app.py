"""The assembly: the only module that knows every room. It makes things out of a configuration, no more."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from headrace.broker import topics
from headrace.broker.kafka import KafkaBroker
from headrace.broker.port import Broker
from headrace.broker.topics_settings import LARGER
from headrace.clock import SystemClock
from headrace.config import Config, EventlogDestination
from headrace.console.sources import Facts, Sources
from headrace.control.pauses import Pauses, Pausing
from headrace.core.schedule import RetrySchedule
from headrace.core.topicplan import Change
from headrace.delivery.crew import Plan, Serves
from headrace.delivery.worker import Worker
from headrace.emitter.emitter import Emitter
from headrace.eventlog.opening import open_event_log
from headrace.eventlog.sink import EventLogSink
from headrace.model.destination import Destination
from headrace.orgs.routes import Routes
from headrace.sinks.http import HTTP
from headrace.sinks.port import Sink
from headrace.sinks.registry import Registry, SinkType

if TYPE_CHECKING:
    from headrace.console.served import Served


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


def registry(config: Config) -> Registry:
    """Return the types of sinks that there are, made for this configuration."""

    def make_eventlog(_: Destination, timeout: float) -> Sink:
        return EventLogSink(open_event_log(config.eventlog, SystemClock()), timeout)

    eventlog = SinkType(name="eventlog", settings=EventlogDestination, make=make_eventlog, shared=True)
    return Registry([HTTP, eventlog])


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
        )
    )


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


def console(config: Config, *, host: str | None = None, port: int | None = None) -> "Served":
    """Return the web console, to be served while its context lasts; raise `HeadraceError` when its port is taken."""
    from headrace.console.building import build  # noqa: PLC0415  a worker has no use for a web server
    from headrace.console.served import Served  # noqa: PLC0415

    clock = SystemClock()
    facts = Facts(
        environment=config.console.environment,
        names=config.names,
        destinations=config.destinations,
        destinations_of=destinations_of(config),
        tiers=config.retry.tiers,
        give_up_after=config.retry.give_up_after,
        retention=config.eventlog.retention,
    )

    def open_sources() -> Sources:
        log = open_event_log(config.eventlog, clock)
        return Sources(log=log, reader=broker(config).reader(), facts=facts, clock=clock)

    settings = config.console
    return Served(build(open_sources, facts, clock), host or settings.host, settings.port if port is None else port)
