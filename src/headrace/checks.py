"""What `headrace doctor` and the console look at: each check changes nothing, and says what mends what is wrong."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from headrace.clock import SystemClock
from headrace.config import Config
from headrace.core.topicplan import Change, Refuse
from headrace.emitter import claim
from headrace.errors import BrokerError, HeadraceError
from headrace.eventlog.opening import open_event_log
from headrace.model.destination import Destination
from headrace.model.finding import Finding
from headrace.model.units import Size
from headrace.sinks.http_settings import HttpSettings

CONNECT_TIMEOUT = 3.0
"""Seconds that a destination's server may take to answer."""

_AT_ONCE = 16

TopicChanges = Callable[[], Sequence[Change]]
"""Tells what the topics still want."""


def look(config: Config, topic_changes: TopicChanges) -> Iterator[Finding]:
    """Yield what every check of *config* finds, one after the other."""
    yield from look_at_kafka(config, topic_changes)
    yield from look_at_destinations(config)
    yield look_at_event_log(config)
    yield look_at_journal(config)


def look_at_kafka(config: Config, topic_changes: TopicChanges) -> Iterator[Finding]:
    """Ask the cluster for its topics, and compare them with those of the configuration."""
    servers = config.kafka.bootstrap_servers
    try:
        changes = topic_changes()
    except BrokerError as error:
        mend = "headrace kafka start, or set kafka.bootstrap_servers to where Kafka is"
        yield _wrong("kafka", f"{servers}: {error}", mend)
        yield Finding(check="topics", state="halted", says="Kafka has to answer first")
        return
    yield _well("kafka", f"{servers} answers")
    for change in changes:
        if isinstance(change, Refuse):
            yield _wrong(f"topic {change.topic}", change.reason, change.way_out)
        else:
            yield _wrong(
                f"topic {change.topic}", f"differs from the configuration ({_kind(change)})", "headrace topics apply"
            )
    if not changes:
        yield _well("topics", "as configured")


def look_at_destinations(config: Config) -> Iterator[Finding]:
    """Connect to every destination, and post nothing."""
    if not config.routes:
        yield _wrong(
            "routes", "no org's events go anywhere: each is a dead letter", 'write [routes] with "*" = ["log"]'
        )
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        yield from threads.map(_look_at_destination, config.destinations.values())


def look_at_event_log(config: Config) -> Finding:
    """Read from the event log if there is one, else see whether it can be made."""
    try:
        path = None if config.eventlog.is_postgres else config.eventlog.path()
        if path is not None and not path.exists():
            return _look_at_directory("event log", path.parent, f"{path} will be made by the first event")
        store = open_event_log(config.eventlog, SystemClock(), read_only=True)
        try:
            store.sessions("-", limit=1)
        finally:
            store.close()
    except HeadraceError as error:
        return _wrong("event log", str(error), "set eventlog.url to a place that can be written")
    return _well("event log", f"{path or 'PostgreSQL'} opens")


def look_at_journal(config: Config) -> Finding:
    """See whether events can spill, and whether some are left from before."""
    directory = Path(config.emitter.journal_dir)
    left = claim.size(directory) if directory.is_dir() else 0
    says = f"{directory} holds {Size(left)} of events that Kafka has not got" if left else f"{directory} is empty"
    finding = _look_at_directory("journal", directory, says)
    if left and finding.state == "well":
        # An emitter at work may just be spilling: nothing is wrong, and what to do is worth saying.
        return msgspec.structs.replace(
            finding, mend="the next emitter on this host sends them, or headrace emit /dev/null"
        )
    return finding


def _look_at_destination(destination: Destination) -> Finding:
    check = f"destination {destination.name}"
    settings = destination.settings
    if not isinstance(settings, HttpSettings):
        return _well(check, f"of type {destination.type}")
    for secret in (*settings.secret, *settings.headers.values()):
        try:
            secret.reveal()
        except HeadraceError as error:
            return _wrong(check, str(error), "put the secret there")
    parts = urlsplit(settings.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), CONNECT_TIMEOUT).close()
    except OSError as error:
        says = f"{host}:{port} cannot be reached ({error.strerror or error})"
        return _wrong(check, says, f"start its server, or correct destinations.{destination.name}.url")
    return _well(check, f"{host}:{port} answers")


def _look_at_directory(check: str, directory: Path, says: str) -> Finding:
    present = next(each for each in (directory, *directory.absolute().parents) if each.exists())
    if present.is_dir() and os.access(present, os.W_OK | os.X_OK):
        return _well(check, says)
    return _wrong(check, f"{present} cannot be written", f"give this user the right to write {present}")


def _kind(change: object) -> str:
    return type(change).__name__.lower()


def _well(check: str, says: str) -> Finding:
    return Finding(check=check, state="well", says=says)


def _wrong(check: str, says: str, mend: str) -> Finding:
    return Finding(check=check, state="wrong", says=says, mend=mend)
