"""`headrace kafka`: a real Kafka, started, hurt, started again and stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from headrace.localkafka.cluster import LocalKafka
from headrace.localkafka.ports import free_ports

Document = dict[str, Any]


def headrace(*words: str) -> list[str]:
    return [sys.executable, "-m", "headrace", "kafka", *words, "--json"]


def run(*words: str, code: int = 0) -> Document:
    """Run a command; return the last document on its standard output."""
    done = subprocess.run(headrace(*words), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    document: Document = json.loads(done.stdout.splitlines()[-1])
    if "error" in document:
        assert document["error"] in done.stderr
    return document


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "kafka"
    yield directory
    LocalKafka(directory).stop()


def create(bootstrap: str, topic: str, copies: int) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, copies)])[topic].result(30)


def write(bootstrap: str, topic: str, value: bytes) -> None:
    """Write one record; return when it is acknowledged by all that must."""
    errors: list[Any] = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(60) == 0
    assert errors == [None]


def read(bootstrap: str, topic: str) -> list[bytes | None]:
    """Read all that partition 0 holds."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30)
    records: list[Message] = []
    while len(records) < end:
        records += consumer.consume(end - len(records), timeout=5)
    consumer.close()
    return [record.value() for record in records]


def is_gone(pid: int) -> bool:
    """An orphan that ended stays as a zombie where the first process of a container does not reap."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_broker_is_started_killed_restarted_and_stopped_and_keeps_its_data(home: Path) -> None:
    port = free_ports()
    assert run("status", "--dir", str(home), code=1)["brokers"] == []

    first = run("start", "--port", str(port), "--dir", str(home))
    [broker] = first["brokers"]
    bootstrap = first["bootstrap_servers"]
    assert (first["running"], bootstrap, broker["state"]) == (True, f"127.0.0.1:{port}", "answering")
    listening = {at.laddr.ip for at in psutil.Process(broker["pid"]).net_connections() if at.status == "LISTEN"}
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}

    assert run("start", "--dir", str(home)) == first  # nothing to do, the same process

    create(bootstrap, "kept", 1)
    write(bootstrap, "kept", b"before")
    os.kill(broker["pid"], signal.SIGKILL)
    restarted = run("start", "--dir", str(home))
    assert restarted["cluster_id"] == first["cluster_id"]
    assert restarted["brokers"][0]["pid"] != broker["pid"]
    write(bootstrap, "kept", b"after")

    stopped = run("stop", "--dir", str(home))
    assert (stopped["running"], stopped["brokers"][0]["pid"]) == (False, None)
    assert is_gone(restarted["brokers"][0]["pid"])
    run("status", "--dir", str(home), code=1)
    run("stop", "--dir", str(home))

    run("start", "--dir", str(home))
    assert read(bootstrap, "kept") == [b"before", b"after"]


def test_two_starts_at_once_start_one_broker(home: Path) -> None:
    words = headrace("start", "--port", str(free_ports()), "--dir", str(home))
    starts = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    documents = [json.loads(start.communicate(timeout=120)[0]) for start in starts]

    assert [start.returncode for start in starts] == [0, 0]
    assert documents[0] == documents[1]


def test_a_port_of_another_cluster_is_refused(kafka: str, home: Path) -> None:
    port = kafka.rpartition(":")[2]

    refused = run("start", "--port", port, "--dir", str(home), code=1)

    assert "another Kafka, of cluster " in refused["error"]
    assert f"on port {port}: choose another with --port" in refused["error"]
    assert run("status", "--dir", str(home), code=1)["brokers"] == []


def test_a_port_of_another_program_is_refused(home: Path) -> None:
    with socket.create_server(("127.0.0.1", free_ports())) as server:
        refused = run("start", "--port", str(server.getsockname()[1]), "--dir", str(home), code=1)

    assert "another program listens on port" in refused["error"]


def test_a_directory_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    refused = run("start", "--dir", str(tmp_path / "file" / "kafka"), code=1)

    assert f"{tmp_path / 'file' / 'kafka'} cannot be used" in refused["error"]


def test_a_broker_that_cannot_start_says_why_and_leaves_nothing_behind(home: Path) -> None:
    data = home / "broker-0" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=1\ncluster.id=nobody\nnode.id=7\n")

    refused = run("start", "--port", str(free_ports()), "--dir", str(home), code=1)

    assert "broker 0 ended while it started" in refused["error"]
    assert "server.log" in refused["error"]
    assert run("status", "--dir", str(home), code=1)["brokers"][0]["state"] == "dead"


def test_a_missing_topic_is_not_created_by_asking_for_it(kafka: str) -> None:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "asks", "allow.auto.create.topics": True})
    consumer.list_topics("nobody-made-this", timeout=10)

    assert "nobody-made-this" not in consumer.list_topics(timeout=10).topics
    consumer.close()


def test_three_brokers_outlive_one(kafka3: LocalKafka) -> None:
    bootstrap = kafka3.bootstrap_servers
    create(bootstrap, "copied", 3)
    write(bootstrap, "copied", b"whole")

    kafka3.kill_broker(0)
    assert not kafka3.status().running
    write(bootstrap, "copied", b"one short")

    kafka3.start_broker(0)
    assert [broker.state for broker in kafka3.status().brokers] == ["answering"] * 3
    assert read(bootstrap, "copied") == [b"whole", b"one short"]
