"""The local cluster: started, looked at, hurt and stopped, by whichever process comes to its directory."""

import fcntl
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from headrace.errors import LocalKafkaError
from headrace.localkafka import founding, ports, probe
from headrace.localkafka.process import BrokerProcess
from headrace.localkafka.properties import Cluster, server_properties
from headrace.localkafka.runtime import KAFKA_VERSION, Runtime, find_runtime

DEFAULT_PORT = 9092
_READY_WITHIN = 60.0
_STOP_WITHIN = 15.0
_GLANCE = 0.1


_LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    # It prints every client's whole configuration, a thousand lines per start.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
)


class BrokerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One broker: `answering` as a member of its cluster, `silent` (its process runs and does not) or `dead`."""

    broker: int
    port: int
    pid: int | None
    state: Literal["answering", "silent", "dead"]
    log: str


class ClusterStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster of a directory. *running* says that every broker answers; None stands for what is not there yet."""

    running: bool
    bootstrap_servers: str | None
    cluster_id: str | None
    version: str
    directory: str
    brokers: list[BrokerStatus]


class LocalKafka:
    """A Kafka on loopback whose data, logs and ports live in *directory*.

    *port* is the first broker's, the others follow it; *brokers* is how many. None means what the directory
    remembers, else 9092 and one. *proxies*, which count when the cluster is founded, are the ports to which broker i
    sends the clients that come in `behind_proxies`. The brokers outlive this object and its process, and several
    processes may use one directory at once. Every method raises `LocalKafkaError` with the way out.
    """

    def __init__(
        self, directory: Path, *, port: int | None = None, brokers: int | None = None, proxies: Sequence[int] = ()
    ) -> None:
        self.directory = directory.absolute()
        self._port = port
        self._brokers = brokers
        self._proxies = proxies
        self._processes: dict[int, BrokerProcess] = {}

    @property
    def bootstrap_servers(self) -> str:
        """The cluster's address for clients, from its first start on."""
        return self._known().bootstrap_servers

    @property
    def behind_proxies(self) -> tuple[int, ...]:
        """The ports of the brokers to which their proxies connect, from the first start on; none without proxies."""
        return self._known().behind

    def start(self) -> ClusterStatus:
        """Start what does not run yet, and return when every broker answers. Data of earlier runs is kept."""
        runtime = find_runtime()
        with self._alone():
            cluster = self._agreed()
            self._launch(runtime, cluster, [broker for broker in cluster.brokers if not self._process(broker).pid()])
        return self.status()

    def stop(self) -> ClusterStatus:
        """Stop every broker and return when they are gone. To stop what does not run is no error."""
        if founding.recall(self.directory) is not None:
            with self._alone():
                self._end(self._known().brokers)
        return self.status()

    def status(self) -> ClusterStatus:
        """Look at every broker; nothing is changed."""
        cluster = founding.recall(self.directory)
        brokers = [] if cluster is None else [self._look_at(cluster, broker) for broker in cluster.brokers]
        return ClusterStatus(
            running=bool(brokers) and all(broker.state == "answering" for broker in brokers),
            bootstrap_servers=cluster.bootstrap_servers if cluster else None,
            cluster_id=cluster.cluster_id if cluster else None,
            version=KAFKA_VERSION,
            directory=str(self.directory),
            brokers=brokers,
        )

    def kill_broker(self, broker: int) -> None:
        """End one broker with SIGKILL, as a power cut would; return when it is gone."""
        self._process(broker).kill()

    def start_broker(self, broker: int) -> None:
        """Start one broker that does not run, and return when it answers."""
        runtime = find_runtime()
        with self._alone():
            if not self._process(broker).pid():
                self._launch(runtime, self._known(), [broker])

    def _agreed(self) -> Cluster:
        known = founding.recall(self.directory)
        if known is None:
            port = DEFAULT_PORT if self._port is None else self._port
            return founding.found(port, 1 if self._brokers is None else self._brokers, self._proxies)
        alive = any(self._process(broker).pid() for broker in known.brokers)
        return founding.agree(known, port=self._port, brokers=self._brokers, alive=alive)

    def _launch(self, runtime: Runtime, cluster: Cluster, brokers: Sequence[int]) -> None:
        for broker in brokers:
            _refuse_taken(cluster, cluster.ports[broker])
        founding.remember(self.directory, cluster)
        storage = {}
        for broker in brokers:
            home = self._process(broker).directory
            home.mkdir(exist_ok=True)
            storage[home / "server.properties"] = home / "data"
            (home / "server.properties").write_text(server_properties(cluster, broker, home / "data"))
        founding.format_storage(runtime, cluster, storage)
        try:
            for broker in brokers:
                home = self._process(broker).directory
                options = (f"-XX:ErrorFile={home / 'crash.log'}", *_LOGGING)
                command = runtime.command("kafka.Kafka", str(home / "server.properties"), options=options)
                self._process(broker).spawn(command)
            self._await(cluster, [i for i in cluster.brokers if i in brokers or self._process(i).pid()])
        except BaseException:
            self._end(brokers)
            raise

    def _await(self, cluster: Cluster, running: Sequence[int]) -> None:
        """Return when each of the *running* brokers answers and sees all the others."""
        deadline = time.monotonic() + _READY_WITHIN
        for broker in running:
            process = self._process(broker)
            while not _answers(cluster, broker, len(running)):
                if not process.pid():
                    raise LocalKafkaError(f"broker {broker} ended while it started: {process.last_words()}")
                if time.monotonic() >= deadline:
                    raise LocalKafkaError(
                        f"broker {broker} does not answer, {process.log} may say why: "
                        "end it with `headrace kafka stop` and start again"
                    )
                time.sleep(_GLANCE)

    def _end(self, brokers: Iterable[int]) -> None:
        processes = [self._process(broker) for broker in brokers]
        for process in processes:
            process.ask_to_end()
        deadline = time.monotonic() + _STOP_WITHIN
        for process in processes:
            process.end(deadline - time.monotonic())

    def _look_at(self, cluster: Cluster, broker: int) -> BrokerStatus:
        process = self._process(broker)
        pid = process.pid()
        state: Literal["answering", "silent", "dead"] = "dead"
        if pid:
            state = "answering" if _answers(cluster, broker, 1) else "silent"
        return BrokerStatus(broker=broker, port=cluster.ports[broker], pid=pid, state=state, log=str(process.log))

    def _known(self) -> Cluster:
        cluster = founding.recall(self.directory)
        if cluster is None:
            raise LocalKafkaError(f"there is no Kafka in {self.directory} yet: start one with `headrace kafka start`")
        return cluster

    def _process(self, broker: int) -> BrokerProcess:
        # Kept, because only the object that started a process can take leave of it.
        return self._processes.setdefault(broker, BrokerProcess(self.directory / f"broker-{broker}"))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the directory, so that two who start or stop at once do it one after the other."""
        if "," in str(self.directory):
            raise LocalKafkaError(
                f"Kafka cannot keep its data in {self.directory}, a path with a comma: choose another"
            )
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with (self.directory / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise LocalKafkaError(
                f"{error.filename or self.directory} cannot be used ({error.strerror}): choose another directory"
            ) from error


def _answers(cluster: Cluster, broker: int, peers: int) -> bool:
    answer = probe.ask(cluster.ports[broker])
    return isinstance(answer, probe.Answer) and answer.cluster_id == cluster.cluster_id and answer.brokers >= peers


def _refuse_taken(cluster: Cluster, port: int) -> None:
    """Raise when somebody else is on *port*: his answers would look like the new broker's."""
    match probe.ask(port):
        case probe.Answer(cluster_id=cluster_id) if cluster_id != cluster.cluster_id:
            who = f"another Kafka, of cluster {cluster_id}, answers"
        case probe.Answer():
            who = "a broker of this cluster that was started from elsewhere answers"
        case probe.Stranger():
            who = "another program listens"
        case probe.Silent():
            if ports.is_free(port):
                return
            who = "nobody may listen"
    raise LocalKafkaError(f"{who} on port {port}: choose another with --port, or see to it that this one is free")
