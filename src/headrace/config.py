"""The configuration: every room's settings as one value, from `headrace.toml` and the environment.

What a setting is stands in the room that uses it; this module knows which rooms there are, and what must hold between
their settings.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from headrace.broker.heroku import from_heroku, prefix_from_heroku
from headrace.broker.settings import KafkaSettings
from headrace.broker.topics_settings import TopicsSettings
from headrace.console.alarm.settings import AlertsSettings
from headrace.console.settings import ConsoleSettings
from headrace.delivery.settings import DeliverySettings
from headrace.emitter.settings import EmitterSettings
from headrace.errors import ConfigError, SecretMissing
from headrace.eventlog.settings import EventlogSettings
from headrace.model.destination import Destination
from headrace.model.nearest import nearest
from headrace.orgs.destinations import by_name
from headrace.orgs.routes import EVERY_ORG, Routes
from headrace.retry.settings import RetrySettings
from headrace.settings import pages
from headrace.settings.entries import gather, read_entry
from headrace.settings.keys import keys_of, variable
from headrace.settings.pages import Shown
from headrace.settings.sources import check_variables, from_file, from_variables, read_file, table_in_variable
from headrace.settings.tables import DEFAULT, read_table
from headrace.settings.values import Given, Surroundings, read
from headrace.sinks.http_settings import HttpSettings, check_http
from headrace.sinks.registry import PLANNED
from headrace.telemetry.settings import TelemetrySettings
from headrace.wire.topics import TopicNames

FILE = "headrace.toml"
FILE_VARIABLE = "HEADRACE_CONFIG"

SECTIONS: Mapping[str, type[msgspec.Struct]] = {
    "kafka": KafkaSettings,
    "topics": TopicsSettings,
    "emitter": EmitterSettings,
    "delivery": DeliverySettings,
    "retry": RetrySettings,
    "eventlog": EventlogSettings,
    "console": ConsoleSettings,
    "alerts": AlertsSettings,
    "telemetry": TelemetrySettings,
}
"""The tables with fixed keys, and who declares them."""

UNCONFIGURED: Mapping[str, Any] = {"destinations": {"log": {"type": "eventlog"}}, "routes": {EVERY_ORG: ["log"]}}
"""The tables of names, and what holds when neither is written: every org's events go to the event log."""


class EventlogDestination(msgspec.Struct, frozen=True, kw_only=True):
    """A destination of type `eventlog` has no keys of its own: the event log is what `[eventlog]` says."""


class DestinationType(msgspec.Struct, frozen=True, kw_only=True):
    """What may stand below a destination of one type. *shared* ones have one lane for all orgs."""

    settings: type[msgspec.Struct]
    check: Callable[[Any], None] | None = None
    shared: bool = False


DESTINATION_TYPES: Mapping[str, DestinationType] = {
    "eventlog": DestinationType(settings=EventlogDestination, shared=True),
    "http": DestinationType(settings=HttpSettings, check=check_http),
}
"""Each type's settings. What writes to it is not imported here: a bot that emits needs no HTTP client."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. *origins* says for each key's path where it was set; *directory* is where relative paths begin."""

    kafka: KafkaSettings
    topics: TopicsSettings
    emitter: EmitterSettings
    delivery: DeliverySettings
    retry: RetrySettings
    eventlog: EventlogSettings
    console: ConsoleSettings
    alerts: AlertsSettings
    telemetry: TelemetrySettings
    destinations: Mapping[str, Destination]
    routes: Mapping[str, Sequence[str]]
    file: Path | None
    directory: Path
    origins: Mapping[str, str]

    @property
    def names(self) -> TopicNames:
        """The names of the topics, and of the consumer group."""
        return TopicNames(self.topics.prefix)


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration from *path*, else from `HEADRACE_CONFIG`, else from `./headrace.toml` if it is there.

    Variables come before the file, and the file before the defaults. Heroku's `KAFKA_URL` is one of the variables,
    unless `HEADRACE_KAFKA__BOOTSTRAP_SERVERS` is set. Raise `ConfigError` for an unknown key, a value that cannot be,
    and settings that cannot hold together. A secret that is not there is no error until it is used.
    """
    file = find(path, environ)
    document = read_file(file) if file else {}
    _check_names(document, str(file), environ)
    # Absolute, so that a process may change its directory later.
    directory = (file.parent if file else Path()).absolute()
    reading = _Reading(document, str(file), Surroundings(environ, directory))
    config = Config(
        **{name: reading.section(name, declared) for name, declared in SECTIONS.items()},
        destinations=reading.destinations(),
        routes=reading.routes(),
        file=file,
        directory=directory,
        origins=reading.origins,
    )
    check(config)
    return config


def find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file that `load` reads; None when there is none."""
    if path is not None:
        return path
    if environ.get(FILE_VARIABLE):
        return Path(environ[FILE_VARIABLE])
    return Path(FILE) if Path(FILE).exists() else None


def check(config: Config) -> None:
    """Raise `ConfigError` when settings of different rooms cannot hold together."""
    Routes(config.routes, config.destinations)
    longest = config.retry.tiers[-1]
    if config.retry.give_up_after + longest > config.topics.retention:
        raise ConfigError(
            f"retry.give_up_after ({config.retry.give_up_after}) plus the longest of retry.tiers ({longest}) exceeds "
            f"topics.retention ({config.topics.retention}), so that Kafka would delete retries; raise the retention"
        )


def show(config: Config) -> dict[str, Shown]:
    """Return every setting that is in force, by its path, and where it was set. Secrets are hidden."""
    shown: dict[str, Shown] = {}
    for section in SECTIONS:
        shown |= pages.show(section, getattr(config, section), config.origins)
    for name, destination in config.destinations.items():
        path = f"destinations.{name}"
        shown[f"{path}.type"] = Shown(destination.type, config.origins[f"{path}.type"])
        shown |= pages.show(path, destination.settings, config.origins)
    for org, names in config.routes.items():
        shown[f"routes.{pages.key_in_toml(org)}"] = Shown(list(names), config.origins[f"routes.{org}"])
    return shown


def _check_names(document: Mapping[str, Any], origin: str, environ: Mapping[str, str]) -> None:
    sections = (*SECTIONS, *UNCONFIGURED)
    for name in document:
        if name not in sections:
            raise ConfigError(f"{origin}: {name}: no such section; {nearest(name, sections)}")
    keys = {section: [key.name for key in keys_of(declared)] for section, declared in SECTIONS.items()}
    check_variables(environ, keys, tuple(UNCONFIGURED))


class _Reading:
    """Reads table by table, and notes where each key was set."""

    def __init__(self, document: Mapping[str, Any], origin: str, surroundings: Surroundings) -> None:
        self.origins: dict[str, str] = {}
        self._document = document
        self._origin = origin
        self._surroundings = surroundings
        variables = tuple(map(variable, UNCONFIGURED))
        written = document.keys() & UNCONFIGURED.keys()
        self._is_routed = bool(written) or any(name.startswith(variables) for name in surroundings.environ)

    def section(self, name: str, declared: type[msgspec.Struct]) -> Any:
        keys = [key.name for key in keys_of(declared)]
        given = from_file(self._document.get(name, {}), self._origin) | self._from_heroku(name)
        given |= from_variables(self._surroundings.environ, name, keys)
        settings, origins = read_table(name, declared, given, self._surroundings)
        self.origins |= origins
        return settings

    def destinations(self) -> Mapping[str, Destination]:
        entries = gather("destinations", self._table("destinations"), self._surroundings.environ)
        return by_name([self._destination(name, given) for name, given in entries.items()])

    def routes(self) -> Mapping[str, Sequence[str]]:
        given = table_in_variable(self._surroundings.environ, "routes") or self._table("routes")
        lines: Mapping[str, Sequence[str]] = read(dict[str, list[str]], "routes", given, self._surroundings)
        self.origins |= {f"routes.{org}": given.origin for org in lines}
        return lines

    def _from_heroku(self, section: str) -> dict[str, Given]:
        environ = self._surroundings.environ
        if variable("kafka", "bootstrap_servers") in environ:
            return {}
        reached = from_heroku(environ)
        match section:
            case "kafka":
                return {key: Given(value, "KAFKA_URL") for key, value in reached.items()}
            case "topics" if reached and (prefix := prefix_from_heroku(environ)):
                return {"prefix": Given(prefix, "KAFKA_PREFIX")}
        return {}

    def _destination(self, name: str, given: Mapping[str, Given]) -> Destination:
        path = f"destinations.{name}"
        types = {each: known.settings for each, known in DESTINATION_TYPES.items()}
        kind, settings, origins = read_entry(path, given, types, PLANNED, self._surroundings)
        self.origins |= origins
        known = DESTINATION_TYPES[kind]
        if known.check is not None:
            _check_settings(path, known.check, settings)
        return Destination(name=name, type=kind, settings=settings, shared=known.shared)

    def _table(self, name: str) -> Given:
        if self._is_routed:
            return Given(self._document.get(name, {}), self._origin)
        return Given(UNCONFIGURED[name], DEFAULT)


def _check_settings(path: str, check_room: Callable[[Any], None], settings: msgspec.Struct) -> None:
    try:
        with suppress(SecretMissing):
            check_room(settings)
    except ConfigError as error:
        raise ConfigError(f"{path}.{error}") from None
