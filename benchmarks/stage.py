"""What a measurement of delivery needs: topics on a local Kafka, events that wait there, and real worker processes."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

import psutil
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from headrace import app
from headrace import config as configuration
from headrace.ledger.audit import audit
from headrace.ledger.report import Report, report
from headrace.localkafka.cluster import LocalKafka
from headrace.localkafka.ports import free_ports
from headrace.model.record import TopicPartition
from traffic import traffic

Tables = Mapping[str, Mapping[str, object]]

FROZEN_FOR = 60
"""Seconds that the brokers wait for a frozen worker before they give its partitions away: the most they allow."""


@contextmanager
def local_kafka(directory: Path) -> Iterator[str]:
    """Run one broker in *directory*, and yield its address."""
    cluster = LocalKafka(directory, port=free_ports())
    cluster.start()
    try:
        yield cluster.bootstrap_servers
    finally:
        cluster.stop()


class Stage:
    """One prefix of topics on a running Kafka, and the workers that serve it. *tables* are those of its configuration.

    The order of a measurement: start the workers, `freeze` them once they share the partitions, `preload`, `thaw`. So
    neither a start nor a rebalance is part of what is measured.
    """

    def __init__(self, directory: Path, kafka: str, tables: Tables) -> None:
        directory.mkdir(exist_ok=True)
        self.file = directory / "headrace.toml"
        prefix = f"{directory.name}."
        whole: Tables = {"kafka": {"bootstrap_servers": kafka}, "topics": {"prefix": prefix}, **tables}
        self.file.write_text("".join(f"[{name}]\n{_keys(table)}" for name, table in whole.items()))
        self.config = configuration.load(self.file, {})
        self.names = self.config.names
        self.log = directory / "workers.log"
        self._admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
        self._reader = app.broker(self.config).reader()
        self._headrace: subprocess.Popen[bytes] | None = None
        self.workers: list[psutil.Process] = []
        self._make_topics()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs, and give the disk back."""
        self.thaw()
        for process in self.workers:
            if process.is_running():
                process.kill()
        if self._headrace is not None:
            self._headrace.kill()
            self._headrace.wait()
        own = [name for name in self._reader.topics() if name.startswith(self.names.prefix)]
        for done in self._admin.delete_topics(own).values():
            done.result()
        self._reader.close()

    def start(self, workers: int) -> None:
        """Start `headrace deliver`, and return when all of its workers have their share of the partitions."""
        command = [sys.executable, "-m", "headrace", "deliver", "--config", str(self.file), "--workers", str(workers)]
        with self.log.open("wb") as log:
            self._headrace = subprocess.Popen(command, stdout=log, stderr=log)
        self._await(lambda: self._shares() == workers, f"{workers} workers share the partitions", 60)
        parent = psutil.Process(self._headrace.pid)
        self.workers = [parent] if workers == 1 else parent.children()

    def freeze(self) -> None:
        """Stop the workers where they are."""
        for process in self.workers:
            process.suspend()

    def thaw(self) -> None:
        """Let frozen workers go on."""
        for process in self.workers:
            if process.is_running():
                process.resume()

    def stop(self) -> None:
        """Let the workers drain; raise when one does not end well."""
        assert self._headrace is not None
        self._headrace.send_signal(signal.SIGTERM)
        code = self._headrace.wait(60)
        if code:
            raise RuntimeError(f"headrace deliver ended with {code}: {self.log.read_text()[-2000:]}")

    def preload(self, events: int, orgs: int, size: int) -> None:
        """Write events to the main topic, as fast as it takes them: by key, or where order is any, evenly spread."""
        producer = Producer(
            {
                "bootstrap.servers": self.config.kafka.bootstrap_servers,
                "compression.type": "lz4",
                "linger.ms": 50,
                "queue.buffering.max.messages": 200_000,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "log_level": 0,
            }
        )
        partitions = self.config.topics.partitions
        is_spread = self.config.delivery.ordering == "any"
        begun = time.monotonic()
        for number, (key, value) in enumerate(traffic(events, orgs, size)):
            while True:
                try:
                    producer.produce(self.names.events, value, key, number % partitions if is_spread else -1)
                    break
                except BufferError:
                    producer.poll(0.1)
        if producer.flush(120):
            raise RuntimeError("not all events were acknowledged in two minutes")
        producer.close()
        if self.workers and time.monotonic() - begun > FROZEN_FOR - 5:
            raise RuntimeError(f"the workers were frozen for more than {FROZEN_FOR} s: measure fewer events")

    def settled(self) -> int:
        """Count the records of the main topic that the workers have committed."""
        return sum(place.offset for place in self._reader.committed(self.names.group, self._partitions()).values())

    def await_settled(self, events: int, within: float) -> None:
        """Return when the workers have committed *events* records of the main topic."""
        self._await(lambda: self.settled() >= events, f"{events} events are committed", within)

    def cpu(self) -> tuple[float, float]:
        """Return the seconds of processor that the workers have used: their own, and the kernel's for them."""
        times = [process.cpu_times() for process in self.workers]
        return sum(each.user for each in times), sum(each.system for each in times)

    def audit(self) -> Report:
        """Close the books."""
        with closing(app.broker(self.config).reader()) as reader:
            return report(audit(reader, self.names, app.destinations_of(self.config)))

    def _make_topics(self) -> None:
        app.apply_topics(self.config)
        entry = ConfigEntry(
            "consumer.session.timeout.ms", str(FROZEN_FOR * 1000), incremental_operation=AlterConfigOpType.SET
        )
        group = ConfigResource(ResourceType.GROUP, self.names.group, incremental_configs=[entry])
        for done in self._admin.incremental_alter_configs([group]).values():
            done.result()

    def _partitions(self) -> list[TopicPartition]:
        return [TopicPartition(self.names.events, number) for number in range(self.config.topics.partitions)]

    def _shares(self) -> int:
        """Count the workers that hold an equal share of the main topic's partitions."""
        try:
            members = self._admin.describe_consumer_groups([self.names.group])[self.names.group].result().members
        except KafkaException:
            return 0  # the group's coordinator is not there yet
        held = [
            sum(place.topic == self.names.events for place in member.assignment.topic_partitions) for member in members
        ]
        fair = self.config.topics.partitions // max(1, len(held))
        return sum(share >= fair for share in held) if sum(held) == self.config.topics.partitions else 0

    def _await(self, holds: Callable[[], bool], what: str, within: float) -> None:
        deadline = time.monotonic() + within
        while not holds():
            if self._headrace is not None and self._headrace.poll() is not None:
                raise RuntimeError(f"headrace deliver has ended: {self.log.read_text()[-2000:]}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited {within:g} s in vain until {what}: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)


def _keys(table: Mapping[str, object]) -> str:
    return "".join(f"{json.dumps(key)} = {json.dumps(value)}\n" for key, value in table.items())
