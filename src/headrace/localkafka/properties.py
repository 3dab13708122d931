"""A broker's `server.properties`: Kafka's defaults, but for what a small machine and impatient tests need."""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from headrace.localkafka.probe import LOOPBACK


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """What a directory remembers of its cluster. Broker i listens on `port + i`, its controller on `controllers[i]`.

    Where there are *proxies*, broker i listens on `behind[i]` too, and sends who comes in there to `proxies[i]`: so
    clients can be kept behind a proxy for good, while the brokers talk with each other directly.
    """

    cluster_id: str
    port: int
    controllers: tuple[int, ...]
    proxies: tuple[int, ...] = ()
    behind: tuple[int, ...] = ()

    @property
    def brokers(self) -> range:
        return range(len(self.controllers))

    @property
    def ports(self) -> range:
        """The port of each broker."""
        return range(self.port, self.port + len(self.controllers))

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"{LOOPBACK}:{port}" for port in self.ports)


def server_properties(cluster: Cluster, broker: int, logs: Path) -> str:
    """Return the text of the file for *broker*, which keeps its records in *logs*."""
    settings = {**_identity(cluster, broker, logs), **_replication(len(cluster.brokers)), **_PACE, **_THRIFT}
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def _identity(cluster: Cluster, broker: int, logs: Path) -> Mapping[str, object]:
    voters = ",".join(f"{i}@{LOOPBACK}:{port}" for i, port in enumerate(cluster.controllers))
    port = cluster.ports[broker]
    listeners = {"PLAINTEXT": (port, port), "CONTROLLER": (cluster.controllers[broker], None)}
    if cluster.proxies:
        listeners["PROXIED"] = (cluster.behind[broker], cluster.proxies[broker])
    return {
        "process.roles": "broker,controller",
        "node.id": broker,
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": ",".join(f"{name}://{LOOPBACK}:{own}" for name, (own, _) in listeners.items()),
        "advertised.listeners": ",".join(
            f"{name}://{LOOPBACK}:{told}" for name, (_, told) in listeners.items() if told
        ),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
        # Java reads the file as Latin-1 with the escapes of a JSON string.
        "log.dirs": json.dumps(str(logs))[1:-1],
        "auto.create.topics.enable": "false",
    }


def _replication(brokers: int) -> Mapping[str, object]:
    in_sync = max(1, brokers - 1)
    return {
        "default.replication.factor": brokers,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": brokers,
        "transaction.state.log.replication.factor": brokers,
        "transaction.state.log.min.isr": in_sync,
    }


# A killed broker or a killed member of a group is noticed within seconds.
_PACE: Mapping[str, object] = {
    "broker.heartbeat.interval.ms": 500,
    "broker.session.timeout.ms": 4_000,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    "group.consumer.heartbeat.interval.ms": 1_000,
    "group.consumer.min.heartbeat.interval.ms": 500,
    "group.consumer.session.timeout.ms": 6_000,
    "group.consumer.min.session.timeout.ms": 2_000,
    "log.initial.task.delay.ms": 1_000,
    "log.retention.check.interval.ms": 10_000,
}

# Three brokers, a worker and a test run fit into two cores and two gigabytes.
_THRIFT: Mapping[str, object] = {
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "log.cleaner.dedupe.buffer.size": 8 << 20,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "group.coordinator.threads": 1,
    # Topics set their own limit; a retry topic's is sixteen times that of the events topic.
    "message.max.bytes": 64 << 20,
    "socket.request.max.bytes": 256 << 20,
}
