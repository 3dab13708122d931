"""`headrace topics plan|apply` against a real Kafka."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource

from headrace.localkafka.ports import free_ports

Document = dict[str, Any]


class River(msgspec.Struct, frozen=True):
    """A configuration whose topics nobody else uses, and the command that reads it."""

    bootstrap: str
    prefix: str
    file: Path

    def configure(self, *, partitions: int = 2, replication: int = 1, tiers: str = "5s,1m", rest: str = "") -> None:
        delays = json.dumps(tiers.split(","))
        self.file.write_text(
            f'[kafka]\nbootstrap_servers = "{self.bootstrap}"\n'
            f'[topics]\nprefix = "{self.prefix}"\npartitions = {partitions}\nreplication = {replication}\n'
            f"[retry]\ntiers = {delays}\n{rest}\n"
        )

    def topics(self, *words: str, code: int = 0) -> Document:
        done = self.run(*words, "--json")
        assert done.returncode == code, done.stderr
        document: Document = json.loads(done.stdout.splitlines()[-1])
        return document

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "headrace", "topics", *words, "--config", str(self.file)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def there(self) -> dict[str, int]:
        """The topics that the cluster has, without the prefix, and their partitions."""
        topics = AdminClient({"bootstrap.servers": self.bootstrap}).list_topics(timeout=10).topics
        return {
            name.removeprefix(self.prefix): len(topic.partitions)
            for name, topic in topics.items()
            if name.startswith(self.prefix)
        }

    def config(self, topic: str) -> dict[str, str]:
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.prefix + topic)
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        return {name: entry.value for name, entry in admin.describe_configs([resource])[resource].result(10).items()}


@pytest.fixture
def river(kafka: str, tmp_path: Path) -> River:
    return River(kafka, f"t{uuid.uuid4().hex[:8]}.", tmp_path / "headrace.toml")


def names(changes: list[Document], change: str) -> list[str]:
    return [each["topic"].partition(".")[2] for each in changes if each["change"] == change]


ALL = ["headrace.attempts", "headrace.retry.5s", "headrace.retry.1m", "headrace.dead", "headrace.events"]


def test_apply_makes_what_plan_shows_and_then_there_is_nothing_to_do(river: River) -> None:
    river.configure()
    planned = river.topics("plan")
    assert names(planned["changes"], "create") == ALL
    assert river.there() == {}

    applied = river.topics("apply")

    assert applied == {"applied": True, "changes": planned["changes"], "refused": []}
    assert river.there() == dict.fromkeys(ALL, 2)
    events, dead = river.config("headrace.events"), river.config("headrace.dead")
    assert (events["retention.ms"], dead["retention.ms"]) == ("604800000", "1209600000")
    assert (events["max.message.bytes"], dead["max.message.bytes"]) == ("4194304", "67108864")
    assert (events["segment.ms"], events["cleanup.policy"]) == ("86400000", "delete")
    assert river.topics("apply")["changes"] == []
    assert river.run("plan").stdout == "The topics are as configured.\n"


def test_apply_grows_and_configures_even_tiers_that_are_no_longer_configured(river: River) -> None:
    river.configure()
    river.topics("apply")
    river.configure(partitions=3, tiers="5s,2m")

    done = river.run("apply")

    assert done.returncode == 0, done.stderr
    assert f"create     {river.prefix}headrace.retry.2m: 3 partitions, 1 copy" in done.stderr
    assert f"grow       {river.prefix}headrace.retry.1m: from 2 to 3 partitions" in done.stderr
    assert river.there() == {**dict.fromkeys(ALL, 3), "headrace.attempts": 2, "headrace.retry.2m": 3}


def test_only_what_differs_is_configured(river: River) -> None:
    river.configure()
    river.topics("apply")
    river.file.write_text(river.file.read_text().replace("[retry]", 'retention = "5d"\n[retry]'))

    changes = river.topics("apply")["changes"]

    assert set(names(changes, "configure")) == set(ALL)
    assert {key for change in changes for key in change["config"]} == {"retention.ms"}
    assert river.config("headrace.events")["retention.ms"] == str(5 * 86_400_000)


def test_what_cannot_be_changed_in_place_is_refused_with_the_way_out(river: River) -> None:
    river.configure()
    river.topics("apply")
    river.configure(partitions=1, replication=2)

    refused = river.topics("apply", code=1)["refused"]

    ways = {each["way_out"] for each in refused if each["topic"].endswith("headrace.events")}
    assert "set topics.partitions to 2" in ways
    assert any("topics.replication to 1" in way for way in ways)
    assert river.there() == dict.fromkeys(ALL, 2)
    assert f"refused    {river.prefix}headrace.events: " in river.run("plan").stdout


@pytest.fixture
def undelivered(river: River) -> Callable[[], None]:
    """An ordered river with one event that no worker has committed; a call commits it."""
    ordered = '[delivery]\nordering = "session"'
    river.configure(rest=ordered)
    river.topics("apply")
    producer = Producer({"bootstrap.servers": river.bootstrap})
    producer.produce(f"{river.prefix}headrace.events", b"{}", b"o/s", partition=0)
    assert producer.flush(30) == 0
    river.configure(partitions=4, rest=ordered)

    def deliver() -> None:
        consumer = Consumer({"bootstrap.servers": river.bootstrap, "group.id": f"{river.prefix}headrace.deliver"})
        place = TopicPartition(f"{river.prefix}headrace.events", 0, 1)
        consumer.commit(offsets=[place], asynchronous=False)
        consumer.close()

    return deliver


def test_under_ordering_topics_grow_once_they_are_drained(river: River, undelivered: Callable[[], None]) -> None:
    refused = river.topics("apply", code=1)["refused"]
    assert [each["topic"] for each in refused] == [f"{river.prefix}headrace.events"]
    assert river.there()["headrace.events"] == 2

    undelivered()

    assert names(river.topics("apply")["changes"], "grow") == [*ALL[1:]]
    assert river.there()["headrace.events"] == 4


@pytest.mark.usefixtures("undelivered")
def test_order_may_be_given_up_on_purpose(river: River) -> None:
    river.topics("apply", "--accept-reorder")

    assert river.there()["headrace.events"] == 4


def test_a_cluster_that_does_not_answer_is_said_in_one_sentence(tmp_path: Path) -> None:
    river = River(f"127.0.0.1:{free_ports()}", "", tmp_path / "headrace.toml")
    river.configure()

    done = river.run("plan")

    assert done.returncode == 1
    assert done.stderr.startswith("headrace: nobody answers")
    assert done.stderr.count("\n") == 1
