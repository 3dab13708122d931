"""The assembly: the only module that knows every room. It makes things out of a configuration, and does nothing else."""

from headrace.broker.kafka import KafkaBroker
from headrace.broker.port import Broker
from headrace.clock import SystemClock
from headrace.config import Config
from headrace.core.schedule import RetrySchedule
from headrace.delivery.worker import Plan, Serves, Worker
from headrace.orgs.routes import Routes


def broker(config: Config) -> Broker:
    """Return the cluster of the configuration; nothing is connected yet."""
    return KafkaBroker(config.kafka)


def schedule(config: Config) -> RetrySchedule:
    """Return the retry schedule of the configuration."""
    return RetrySchedule(config.retry.tiers, config.retry.give_up_after)


def worker(config: Config, serves: Serves = "all") -> Worker:
    """Return a worker that serves all of the configuration's topics, or only the main one or the tiers."""
    routes = Routes(config.routes, config.destinations)
    sinks = {
        name: config.sinks.make(destination, config.delivery.timeout)
        for name, destination in config.destinations.items()
    }
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
            serves=serves,
        )
    )
