"""Asks a broker to give leaderships back to the preferred replicas: Kafka's ElectLeaders request, version 1.

In a few lines of sockets, since neither client of the tests can do it.
"""

import socket
import struct

_ELECT_LEADERS, _VERSION, _CORRELATION = 43, 1, 7
_CLIENT = b"chaos"
_PREFERRED, _EVERY_PARTITION = 0, -1


def elect_preferred(port: int, within: float = 10.0) -> int:
    """Hold an election for every partition; return Kafka's error code, 0 for none."""
    head = struct.pack(f">hhih{len(_CLIENT)}s", _ELECT_LEADERS, _VERSION, _CORRELATION, len(_CLIENT), _CLIENT)
    request = head + struct.pack(">bii", _PREFERRED, _EVERY_PARTITION, int(within * 1000))
    with socket.create_connection(("127.0.0.1", port), within) as connection, connection.makefile("rb") as answer:
        connection.sendall(struct.pack(">i", len(request)) + request)
        (length,) = struct.unpack(">i", answer.read(4))
        _, _, error = struct.unpack_from(">iih", answer.read(length))
    return int(error)
