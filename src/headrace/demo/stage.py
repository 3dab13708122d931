"""The stage of the demo: Kafka, topics, a worker in a process of its own, and the servers of the orgs."""

import fcntl
import json
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from headrace import app
from headrace import config as configuration
from headrace.config import Config
from headrace.errors import HeadraceError
from headrace.localkafka.cluster import LocalKafka
from headrace.localkafka.ports import free_ports
from headrace.testing.simulated_org import SimulatedOrg

ORGS: Sequence[str] = ("acme", "globex", "initech", "umbrella")
BROKEN = "globex"
"""The org whose server breaks for a while and is mended."""

CONFIG = """\
# The demo's own configuration. Every headrace command takes it with --config.
[kafka]
bootstrap_servers = "{kafka}"

{settings}
[eventlog]
url = "sqlite:///eventlog.db"

[console]
port = {console}

[destinations.log]                     # the embedded event log: `headrace log` reads it
type = "eventlog"

[destinations.crm]                     # each org's own server
type = "http"
url = "{crm}"

[routes]
"*" = ["log", "crm"]
"""

SETTINGS = """\
[retry]
tiers = ["1s", "3s", "10s", "1m"]      # short, so that the demo's outage is seen to heal
give_up_after = "1h"

[emitter]
journal_dir = "journal"
"""
"""What the demo sets where nobody brings settings of their own."""

BRINGS = ("topics", "emitter", "delivery", "retry")
"""The sections of a configuration that the demo takes over; where things are, it decides itself."""

_MARK = "demo.txt"
_ENDS_WITHIN = 30.0

Say = Callable[[str], None]


class Stage(msgspec.Struct, frozen=True):
    """What the demo plays on."""

    directory: Path
    config_file: Path
    config: Config
    orgs: SimulatedOrg


@contextmanager
def stage(directory: Path, say: Say, brought: Path | None = None) -> Iterator[Stage]:
    """Set everything up in *directory*, which is emptied first if an earlier demo made it, and clear it away after.

    *brought* is a configuration file whose settings are tried out (`BRINGS`), and whose port the console takes.
    """
    settings = _settings_of(brought) if brought else SETTINGS
    console = _console_port_of(brought) if brought else None
    with ExitStack() as stack:
        stack.enter_context(_alone(directory))
        _empty(directory)
        say("starting Apache Kafka …")
        kafka = LocalKafka(directory / "kafka", port=free_ports(), brokers=1)
        stack.callback(kafka.stop)
        kafka.start()
        orgs = stack.enter_context(SimulatedOrg(process=True))
        config_file = directory / configuration.FILE
        config_file.write_text(
            CONFIG.format(
                kafka=kafka.bootstrap_servers,
                crm=orgs.url,
                settings=settings,
                console=console or free_ports(),
            )
        )
        config = configuration.load(config_file, {})
        app.apply_topics(config)
        say("starting a worker …")
        stack.enter_context(_worker(config_file, directory / "worker.log"))
        yield Stage(directory, config_file, config, orgs)


def _settings_of(file: Path) -> str:
    """Write the settings of *file* that the demo takes over as TOML again; raise `ConfigError` for what cannot be."""
    configuration.load(file)
    document = tomllib.loads(file.read_text())
    document.setdefault("emitter", {})["journal_dir"] = "journal"
    lines: list[str] = []
    for section in BRINGS:
        lines.append(f"[{section}]")
        # Texts, numbers, truths and lists of them are written the same in JSON and in TOML.
        lines += [f"{key} = {json.dumps(value)}" for key, value in document.get(section, {}).items()]
    return "\n".join([*lines, ""])


def _console_port_of(file: Path) -> int | None:
    """Return the port that *file* names for the console, if it does."""
    port = tomllib.loads(file.read_text()).get("console", {}).get("port")
    return port if isinstance(port, int) else None


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keep other demos out of *directory* while the context lasts."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_name(f"{directory.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeadraceError(f"another demo runs in {directory}; end it, or name another one with --dir") from None
        yield


def _empty(directory: Path) -> None:
    """Begin from nothing. A directory that no demo made is left alone."""
    if directory.exists() and any(directory.iterdir()):
        if not (directory / _MARK).exists():
            raise HeadraceError(f"{directory} holds something that is not the demo's; name another one with --dir")
        if (directory / "kafka").exists():
            LocalKafka(directory / "kafka").stop()
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _MARK).write_text("Everything here was made by `headrace demo`, which empties it when it starts.\n")


@contextmanager
def _worker(config_file: Path, log: Path) -> Iterator[None]:
    """Run a worker while the context lasts; it drains at the end."""
    command = [sys.executable, "-m", "headrace", "deliver", "--config", str(config_file)]
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output, process_group=0) as process:
        try:
            yield
            if process.poll() is not None:
                raise HeadraceError(f"the worker ended with exit code {process.returncode}; {log} says why")
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
