"""Who answers on a port: Kafka's Metadata request, version 2, in a few lines of sockets.

The oldest version that names the cluster, and of fixed width; Kafka 4 still speaks it (KIP-896). A client library
would keep threads and retries for a question that is asked ten times a second during a start.
"""

import socket
import struct

import msgspec

LOOPBACK = "127.0.0.1"

_METADATA, _VERSION, _CORRELATION = 3, 2, 1
_CLIENT = b"headrace"
_NO_TOPICS = 0
_REQUEST = struct.pack(f">hhih{len(_CLIENT)}si", _METADATA, _VERSION, _CORRELATION, len(_CLIENT), _CLIENT, _NO_TOPICS)
_LONGEST_ANSWER = 1 << 20


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a broker says of its cluster: its id, and how many brokers are there."""

    cluster_id: str | None
    brokers: int


class Silent(msgspec.Struct, frozen=True):
    """Nobody listens on the port."""


class Stranger(msgspec.Struct, frozen=True):
    """Somebody listens who does not speak Kafka, or not yet."""


def ask(port: int, timeout: float = 1.0) -> Answer | Silent | Stranger:
    """Ask who is on *port* of loopback, waiting at most *timeout* seconds for each step."""
    try:
        connection = socket.create_connection((LOOPBACK, port), timeout)
    except OSError:
        return Silent()
    with connection:
        try:
            connection.sendall(struct.pack(">i", len(_REQUEST)) + _REQUEST)
            (length,) = struct.unpack(">i", _receive(connection, 4))
            if not 0 < length <= _LONGEST_ANSWER:
                return Stranger()
            return _read(_receive(connection, length))
        except (OSError, EOFError, struct.error, UnicodeDecodeError):
            return Stranger()


def _receive(connection: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(length - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def _read(body: bytes) -> Answer | Stranger:
    correlation, brokers = struct.unpack_from(">ii", body)
    if correlation != _CORRELATION:
        return Stranger()
    at = 8
    for _ in range(brokers):
        _, at = _string(body, at + 4)  # the node's id, its host
        _, at = _string(body, at + 4)  # its port, its rack
    cluster_id, _ = _string(body, at)
    return Answer(cluster_id=cluster_id, brokers=brokers)


def _string(body: bytes, at: int) -> tuple[str | None, int]:
    (length,) = struct.unpack_from(">h", body, at)
    at += 2
    if length < 0:
        return None, at
    return body[at : at + length].decode(), at + length
