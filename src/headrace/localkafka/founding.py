"""A cluster is founded once: its id, its ports and its storage. The directory remembers them."""

import base64
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from headrace.errors import LocalKafkaError
from headrace.localkafka.ports import free_ports, is_free
from headrace.localkafka.properties import Cluster
from headrace.localkafka.runtime import Runtime

_MOST_BROKERS = 9
_FORMAT_WITHIN = 60.0


def found(port: int, brokers: int, proxies: Sequence[int] = ()) -> Cluster:
    """Make a new cluster with *brokers* from *port* on; raise `LocalKafkaError` when there can be no such cluster.

    *proxies* are ports, one a broker or none at all.
    """
    if not 1 <= brokers <= _MOST_BROKERS:
        raise LocalKafkaError(f"a cluster of {brokers} brokers is none: choose 1 or 3 with --brokers")
    _check_port(port, brokers)
    if proxies and len(proxies) != brokers:
        raise LocalKafkaError(f"{len(proxies)} proxies cannot stand before {brokers} brokers: name one port for each")
    controllers = _controller_ports(port, brokers)
    behind: tuple[int, ...] = ()
    if proxies:
        first = free_ports(brokers, avoid=(*range(port, port + brokers), *controllers, *proxies))
        behind = tuple(range(first, first + brokers))
    return Cluster(cluster_id=_new_id(), port=port, controllers=controllers, proxies=tuple(proxies), behind=behind)


def agree(known: Cluster, *, port: int | None, brokers: int | None, alive: bool) -> Cluster:
    """Return *known* as it is to be started with the *port* and the number of *brokers* asked for, if any.

    The ports may change while nothing is *alive*; the number of brokers never does. Raise `LocalKafkaError`.
    """
    count = len(known.controllers)
    if brokers is not None and brokers != count:
        raise LocalKafkaError(
            f"this directory holds a cluster of {count} broker{'' if count == 1 else 's'}, not of {brokers}: "
            "choose another one with --dir, or leave out --brokers"
        )
    if alive:
        if port is not None and port != known.port:
            raise LocalKafkaError(
                f"this cluster runs on port {known.port}: stop it before you start it on port {port}, "
                "or choose another directory with --dir"
            )
        return known
    port = known.port if port is None else port
    _check_port(port, count)
    if set(known.controllers) & set(range(port, port + count)) or not all(map(is_free, known.controllers)):
        return msgspec.structs.replace(known, port=port, controllers=_controller_ports(port, count))
    return msgspec.structs.replace(known, port=port)


def recall(directory: Path) -> Cluster | None:
    """Return the cluster that *directory* holds; None when there is none."""
    path = directory / "cluster.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Cluster)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise LocalKafkaError(
            f"{path} cannot be read ({error}): choose another directory, or remove this one"
        ) from error


def remember(directory: Path, cluster: Cluster) -> None:
    """Write *cluster* into *directory*, whole or not at all."""
    draft = directory / "cluster.json.new"
    draft.write_bytes(msgspec.json.encode(cluster))
    draft.replace(directory / "cluster.json")


def format_storage(runtime: Runtime, cluster: Cluster, properties: Mapping[Path, Path]) -> None:
    """Format the storage of new brokers, all at once. *properties* maps `server.properties` to the storage."""
    formatting = [
        subprocess.Popen(
            runtime.command("kafka.tools.StorageTool", "format", "-t", cluster.cluster_id, "-c", str(path)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for path, storage in properties.items()
        if not (storage / "meta.properties").exists()
    ]
    for process in formatting:
        try:
            said, _ = process.communicate(timeout=_FORMAT_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
        if process.returncode != 0:
            last = said.strip().rpartition("\n")[2]
            raise LocalKafkaError(f"Kafka's storage cannot be formatted: {last or 'it took too long'}")


def _new_id() -> str:
    """Return a random cluster id as Kafka makes them: 22 characters of URL-safe base64, the first no dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _controller_ports(port: int, brokers: int) -> tuple[int, ...]:
    first = free_ports(brokers, avoid=range(port, port + brokers))
    return tuple(range(first, first + brokers))


def _check_port(port: int, brokers: int) -> None:
    if not 1 <= port <= 65_536 - brokers:
        raise LocalKafkaError(
            f"brokers cannot listen from port {port} on: choose one between 1024 and 65000 with --port"
        )
