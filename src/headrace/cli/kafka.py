"""`headrace kafka start|stop|status|fetch`: a real Apache Kafka on loopback."""

import os
from pathlib import Path

from headrace.cli.output import emit_document, say
from headrace.localkafka import runtime
from headrace.localkafka.cluster import ClusterStatus, LocalKafka


def start(
    *,
    brokers: int | None = None,
    port: int | None = None,
    dir: Path | None = None,  # noqa: A002 - the option's name
    config: Path | None = None,
    json: bool = False,
) -> int:
    """Start a real Kafka on loopback; return when all its brokers answer, and leave them running.

    Data of earlier runs is kept, and brokers that died are started again. Auto-creation of topics is off.

    Example: headrace kafka start --brokers 3 --port 9092

    Parameters
    ----------
    brokers
        How many brokers, 1 or 3; by default as many as the directory has, else 1.
    port
        Broker i (from 0) listens on this port + i; by default the directory's, else 9092.
    dir
        Where data, logs and ports are kept; by default .headrace/kafka beside the configuration.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    say("starting Kafka …")
    status = LocalKafka(_directory(dir, config), port=port, brokers=brokers).start()
    emit_document(status, _sentences(status), json=json)
    return 0


def stop(
    *,
    dir: Path | None = None,  # noqa: A002 - the option's name
    config: Path | None = None,
    json: bool = False,
) -> int:
    """Stop the brokers of a directory and keep their data.

    Example: headrace kafka stop

    Parameters
    ----------
    dir
        The directory that `start` was given; by default .headrace/kafka beside the configuration.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    status = LocalKafka(_directory(dir, config)).stop()
    emit_document(status, _sentences(status), json=json)
    return 0


def status(
    *,
    dir: Path | None = None,  # noqa: A002 - the option's name
    config: Path | None = None,
    json: bool = False,
) -> int:
    """Say which brokers of a directory answer; exit 0 when all do, else 1.

    Example: headrace kafka status --json

    Parameters
    ----------
    dir
        The directory that `start` was given; by default .headrace/kafka beside the configuration.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    status = LocalKafka(_directory(dir, config)).status()
    emit_document(status, _sentences(status), json=json)
    return 0 if status.running else 1


def fetch(*, config: Path | None = None, json: bool = False) -> int:  # noqa: ARG001 - every command takes it
    """Download the broker's jars, unless they are there.

    Example: headrace kafka fetch

    Parameters
    ----------
    config
        Taken as by every command; nothing in it changes the jars.
    json
        Print one JSON document.
    """
    jars = runtime.fetch().split(os.pathsep)
    document = {"version": runtime.KAFKA_VERSION, "jars": len(jars)}
    emit_document(document, f"Kafka {runtime.KAFKA_VERSION} is here, {len(jars)} jars.", json=json)
    return 0


def _directory(chosen: Path | None, config: Path | None) -> Path:
    if chosen is not None:
        return chosen
    # The file itself is not read: the broker for development has no settings in it.
    file = config or os.environ.get("HEADRACE_CONFIG")
    return (Path(file).parent if file else Path()) / ".headrace" / "kafka"


def _sentences(status: ClusterStatus) -> str:
    if not status.brokers:
        return f"There is no Kafka in {status.directory}."
    if all(broker.state == "dead" for broker in status.brokers):
        return f"Kafka in {status.directory} is stopped; its data is kept."
    head = f"Kafka {status.version} {'answers' if status.running else 'is not whole'} at {status.bootstrap_servers}"
    lines = [
        f"  broker {broker.broker}  port {broker.port}  {broker.state}{f'  process {broker.pid}' if broker.pid else ''}"
        f"  {broker.log}"
        for broker in status.brokers
    ]
    return "\n".join([head, *lines])
