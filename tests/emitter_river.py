"""A topic on a real Kafka with a journal directory, and programs that emit to it."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from headrace.broker.kafka import KafkaBroker
from headrace.broker.settings import KafkaSettings
from headrace.emitter.emitter import Emitter
from headrace.emitter.placing import Ordering
from headrace.emitter.settings import EmitterSettings
from headrace.model.record import Record, TopicPartition
from headrace.model.topic import TopicState

PARTITIONS = 3
NOBODY = "127.0.0.1:1"
"""A port on which no Kafka listens."""


class River:
    """One topic of its own on a cluster, and a journal directory."""

    def __init__(self, bootstrap: str, directory: Path) -> None:
        self.bootstrap = bootstrap
        self.topic = f"emitter-{uuid4().hex[:8]}"
        self.journal = directory / "journal"
        self.broker = KafkaBroker(KafkaSettings(bootstrap_servers=bootstrap))

    def create(self) -> None:
        self.broker.admin().create(TopicState(name=self.topic, partitions=PARTITIONS, replication=1))

    def emitter(self, bootstrap: str | None = None, ordering: Ordering = "any", **settings: Any) -> Emitter:
        return Emitter(
            KafkaBroker(KafkaSettings(bootstrap_servers=bootstrap or self.bootstrap)),
            topic=self.topic,
            ordering=ordering,
            settings=EmitterSettings(journal_dir=str(self.journal), **settings),
        )

    def records(self) -> list[Record]:
        reader = self.broker.reader()
        try:
            return [
                record
                for partition, (first, last) in reader.bounds(self.topic).items()
                for record in reader.read(TopicPartition(self.topic, partition), first, last)
            ]
        finally:
            reader.close()

    def said(self) -> list[str]:
        """Return what was emitted, each once, as `say` named it."""
        seen = {event["id"]: event["data"]["said"] for event in map(event_of, self.records())}
        return sorted(seen.values())

    def run(
        self, program: str, bootstrap: str | None = None, ordering: Ordering = "any", seq: int = 0, **settings: Any
    ) -> subprocess.Popen[str]:
        """Start a Python program that has an `emitter`, and `say(name)` to emit by."""
        prelude = f"""
import os, signal, sys, time
from headrace.broker.kafka import KafkaBroker
from headrace.broker.settings import KafkaSettings
from headrace.emitter.emitter import Emitter
from headrace.emitter.settings import EmitterSettings
from headrace.model.units import Size

emitter = Emitter(
    KafkaBroker(KafkaSettings(bootstrap_servers={bootstrap or self.bootstrap!r})),
    topic={self.topic!r},
    ordering={ordering!r},
    settings=EmitterSettings(journal_dir={str(self.journal)!r}, **{settings!r}),
)
log = emitter.session(org="o", bot="b", session="s", seq={seq})

def say(name):
    assert log.emit("said", said=name)
"""
        return subprocess.Popen([sys.executable, "-c", prelude + program], stdout=subprocess.PIPE, text=True)

    def is_empty(self) -> bool:
        return not any(path.suffix == ".seg" for path in self.journal.iterdir()) if self.journal.exists() else True


def event_of(record: Record) -> dict[str, Any]:
    value = record.value()
    assert value is not None
    event: dict[str, Any] = msgspec.json.decode(value)
    return event


def finish(process: subprocess.Popen[str], seconds: float = 30.0) -> str:
    """Return what *process* printed; it must end by itself, and well."""
    try:
        out, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    assert process.returncode == 0
    return out
