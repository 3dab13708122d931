"""A cluster is founded once and agreed with at every later start."""

import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from headrace.errors import LocalKafkaError
from headrace.localkafka import founding
from headrace.localkafka.ports import free_ports, is_free
from headrace.localkafka.properties import Cluster, server_properties


@pytest.fixture
def cluster() -> Cluster:
    return founding.found(free_ports(), 1)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", free_ports())) as server:
        yield server.getsockname()[1]


def test_a_new_cluster_has_an_id_as_kafka_makes_them() -> None:
    ids = {founding.found(9092, 1).cluster_id for _ in range(50)}

    assert len(ids) == 50
    assert all(len(name) == 22 and name[0] != "-" for name in ids)


def test_controllers_keep_clear_of_the_brokers() -> None:
    founded = founding.found(21_000, 3)

    assert len(set(founded.controllers)) == 3
    assert not set(founded.controllers) & set(founded.ports)
    assert founded.bootstrap_servers == "127.0.0.1:21000,127.0.0.1:21001,127.0.0.1:21002"


@pytest.mark.parametrize(("port", "brokers"), [(0, 1), (-1, 1), (65_536, 1), (65_534, 3), (9092, 0), (9092, 10)])
def test_what_can_be_no_cluster_is_refused(port: int, brokers: int) -> None:
    with pytest.raises(LocalKafkaError, match="choose"):
        founding.found(port, brokers)


def test_the_directory_remembers_its_cluster(tmp_path: Path, cluster: Cluster) -> None:
    assert founding.recall(tmp_path) is None

    founding.remember(tmp_path, cluster)

    assert founding.recall(tmp_path) == cluster


def test_a_damaged_memory_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text('{"cluster_id":')

    with pytest.raises(LocalKafkaError, match=r"cluster\.json"):
        founding.recall(tmp_path)


@pytest.mark.parametrize("alive", [False, True])
def test_without_wishes_the_cluster_is_started_as_it_was(cluster: Cluster, alive: bool) -> None:
    assert founding.agree(cluster, port=None, brokers=None, alive=alive) == cluster


def test_a_cluster_never_changes_its_number_of_brokers(cluster: Cluster) -> None:
    with pytest.raises(LocalKafkaError, match="cluster of 1 broker, not of 3"):
        founding.agree(cluster, port=None, brokers=3, alive=False)


def test_a_stopped_cluster_may_move_to_another_port(cluster: Cluster) -> None:
    moved = founding.agree(cluster, port=31_000, brokers=1, alive=False)

    assert moved == msgspec.structs.replace(cluster, port=31_000)


def test_a_running_cluster_does_not_move(cluster: Cluster) -> None:
    with pytest.raises(LocalKafkaError, match=f"runs on port {cluster.port}"):
        founding.agree(cluster, port=cluster.port + 1, brokers=None, alive=True)


def test_a_controller_moves_when_its_port_was_taken(cluster: Cluster, taken: int) -> None:
    crowded = msgspec.structs.replace(cluster, controllers=(taken,))

    moved = founding.agree(crowded, port=None, brokers=None, alive=False)

    assert moved.controllers != (taken,)
    assert moved.cluster_id == cluster.cluster_id


def test_a_controller_moves_out_of_the_way_of_a_broker(cluster: Cluster) -> None:
    moved = founding.agree(cluster, port=cluster.controllers[0], brokers=None, alive=False)

    assert moved.controllers[0] != moved.port


def test_a_port_that_is_listened_on_is_not_free(taken: int) -> None:
    assert not is_free(taken)


def test_a_broker_listens_on_loopback_only_and_copies_to_its_peers(tmp_path: Path) -> None:
    three = founding.found(21_000, 3)

    lines = dict(line.split("=", 1) for line in server_properties(three, 1, tmp_path / "data").splitlines())

    assert lines["listeners"] == f"PLAINTEXT://127.0.0.1:21001,CONTROLLER://127.0.0.1:{three.controllers[1]}"
    assert lines["offsets.topic.replication.factor"] == "3"
    assert lines["min.insync.replicas"] == "2"
    assert lines["auto.create.topics.enable"] == "false"


def test_who_comes_in_behind_a_proxy_is_sent_to_it(tmp_path: Path) -> None:
    founded = founding.found(21_000, 3, (31_990, 31_991, 31_992))

    lines = dict(line.split("=", 1) for line in server_properties(founded, 2, tmp_path / "data").splitlines())

    assert len({*founded.behind, *founded.controllers, *founded.ports, *founded.proxies}) == 12
    assert f"PROXIED://127.0.0.1:{founded.behind[2]}" in lines["listeners"].split(",")
    assert lines["advertised.listeners"] == "PLAINTEXT://127.0.0.1:21002,PROXIED://127.0.0.1:31992"
    assert lines["inter.broker.listener.name"] == "PLAINTEXT", "the brokers talk with each other directly"
    assert "PROXIED:PLAINTEXT" in lines["listener.security.protocol.map"].split(",")


def test_each_broker_has_a_proxy_or_none_has() -> None:
    with pytest.raises(LocalKafkaError, match="2 proxies cannot stand before 3 brokers"):
        founding.found(21_000, 3, (31_990, 31_991))


def test_a_path_is_written_as_java_reads_it(cluster: Cluster) -> None:
    assert "log.dirs=/caf\\u00e9/\\\\x\n" in server_properties(cluster, 0, Path("/café/\\x"))
