"""Free ports on loopback."""

import random
import socket
from collections.abc import Collection

from headrace.errors import LocalKafkaError
from headrace.localkafka.probe import LOOPBACK

# Below the range from which systems take the near end of outgoing connections: such a connection could sit on the
# port of a broker that is being restarted.
_RANGE = range(20_000, 32_000)
_TRIES = 1000


def free_ports(count: int = 1, *, avoid: Collection[int] = ()) -> int:
    """Return the first of *count* neighbouring ports that are free now and not in *avoid*."""
    for _ in range(_TRIES):
        first = random.choice(_RANGE)  # noqa: S311 - not a secret
        ports = range(first, first + count)
        if not set(ports) & set(avoid) and all(is_free(port) for port in ports):
            return first
    raise LocalKafkaError(f"no {count} neighbouring free ports were found between {_RANGE.start} and {_RANGE.stop}")


def is_free(port: int) -> bool:
    """Whether *port* of loopback can be listened on now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
