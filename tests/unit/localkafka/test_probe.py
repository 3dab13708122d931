"""Who answers on a port."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from headrace.localkafka.ports import free_ports
from headrace.localkafka.probe import Answer, Silent, Stranger, ask

Serve = Callable[[bytes], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Listens on a port, gives these bytes to one caller, and closes."""
    servers: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve_once(answer: bytes) -> int:
        server = socket.create_server(("127.0.0.1", free_ports()))
        servers.append(server)

        def run() -> None:
            connection, _ = server.accept()
            with closing(connection):
                connection.recv(1024)
                connection.sendall(answer)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return int(server.getsockname()[1])

    yield serve_once
    for thread in threads:
        thread.join()
    for server in servers:
        server.close()


def text(value: str | None) -> bytes:
    return struct.pack(">h", -1) if value is None else struct.pack(">h", len(value)) + value.encode()


def metadata(*, cluster_id: str | None, brokers: int, correlation: int = 1) -> bytes:
    """A Metadata answer of version 2, as the protocol guide has it."""
    nodes = b"".join(
        struct.pack(">i", node) + text("127.0.0.1") + struct.pack(">i", 9092 + node) + text(None)
        for node in range(brokers)
    )
    controller, no_topics = 0, 0
    body = struct.pack(">ii", correlation, brokers) + nodes + text(cluster_id)
    body += struct.pack(">ii", controller, no_topics)
    return struct.pack(">i", len(body)) + body


@pytest.mark.parametrize("brokers", [0, 1, 3])
@pytest.mark.parametrize("cluster_id", ["wYSIpAFFSXKuJ0sY3nUyGQ", None])
def test_a_broker_tells_its_cluster(serve: Serve, cluster_id: str | None, brokers: int) -> None:
    assert ask(serve(metadata(cluster_id=cluster_id, brokers=brokers))) == Answer(
        cluster_id=cluster_id, brokers=brokers
    )


def test_nobody_is_silent() -> None:
    assert ask(free_ports()) == Silent()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="hangs up"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(struct.pack(">i", 2_000_000_000), id="endless"),
        pytest.param(struct.pack(">i", -1), id="less than nothing"),
        pytest.param(metadata(cluster_id="x", brokers=3)[:20], id="cut off"),
        pytest.param(struct.pack(">iii", 8, 1, 5), id="shorter than it says"),
        pytest.param(metadata(cluster_id="x", brokers=1, correlation=2), id="an answer to another question"),
    ],
)
def test_who_does_not_speak_kafka_is_a_stranger(serve: Serve, answer: bytes) -> None:
    assert ask(serve(answer)) == Stranger()
