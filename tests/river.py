"""A whole river for a test: a real Kafka, an event log, simulated orgs and workers in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Self
from urllib.request import urlopen

from headrace import app
from headrace import config as configuration
from headrace.clock import SystemClock
from headrace.eventlog.opening import open_event_log
from headrace.ledger.audit import audit
from headrace.ledger.report import Report, report
from headrace.localkafka.ports import free_ports
from headrace.testing.simulated_org import SimulatedOrg

Settings = Mapping[str, Mapping[str, object]]

SETTINGS: Settings = {
    "retry": {"tiers": ["1s", "3s", "10s"], "give_up_after": "1h"},
    "emitter": {"journal_dir": "journal"},
    "eventlog": {"url": "sqlite:///eventlog.db"},
}


class River:
    """One prefix of topics on a running Kafka, with everything that belongs to it in *directory*."""

    def __init__(
        self,
        directory: Path,
        kafka: str,
        orgs: SimulatedOrg,
        settings: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        self.directory = directory
        self.orgs = orgs
        self.workers: list[subprocess.Popen[bytes]] = []
        """Every process that was started: workers and consoles."""
        prefix = f"{directory.name.replace('_', '-')}-{os.getpid()}."
        tables: dict[str, Mapping[str, object]] = {
            "kafka": {"bootstrap_servers": kafka},
            "topics": {"prefix": prefix, "partitions": 6},
            **SETTINGS,
            "destinations.log": {"type": "eventlog"},
            "destinations.crm": {"type": "http", "url": orgs.url},
            "routes": {"*": ["log", "crm"]},
        }
        for name, table in (settings or {}).items():
            tables[name] = {**tables.get(name, {}), **table}
        self.config_file = directory / "headrace.toml"
        self.config_file.write_text("".join(f"[{name}]\n{_keys(table)}" for name, table in tables.items()))
        self.config = configuration.load(self.config_file, {})
        self.apply_topics()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs; a test that passed has stopped its workers itself."""
        for worker in self.workers:
            worker.kill()
            worker.wait()

    def apply_topics(self) -> None:
        app.apply_topics(self.config)

    def start_worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one more worker process; its log is in the directory."""
        log = (self.directory / f"worker-{len(self.workers)}.log").open("w")
        command = [sys.executable, "-m", "headrace", "deliver", "--config", str(self.config_file), *arguments]
        with log:
            self.workers.append(subprocess.Popen(command, stdout=log, stderr=log))
        return self.workers[-1]

    def start_console(self) -> tuple[subprocess.Popen[bytes], str]:
        """Start the console as a process of its own; return it with its address once it answers."""
        port = free_ports()
        command = [sys.executable, "-m", "headrace", "console", "--config", str(self.config_file), "--port", str(port)]
        with (self.directory / "console.log").open("a") as log:
            console = subprocess.Popen(command, stdout=log, stderr=log)
        self.workers.append(console)
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(f"{url}/livez"), "the console answers", 30)
        return console, url

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command of the command line on this river to its end."""
        command = [sys.executable, "-m", "headrace", *arguments, "--config", str(self.config_file)]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=90, check=False)

    def stop(self) -> list[int]:
        """Let every worker drain, and return their exit codes."""
        running = [worker for worker in self.workers if worker.poll() is None]
        for worker in running:
            worker.send_signal(signal.SIGTERM)
        return [worker.wait(60) for worker in running]

    def audit(self, *, deep: bool = False) -> Report:
        with closing(app.broker(self.config).reader()) as reader:
            return report(audit(reader, self.config.names, app.destinations_of(self.config), deep=deep))

    def settled(self, *, events: int, within: float = 120.0) -> Report:
        """Return the books once so many obligations were accepted and nothing is in flight or on a tier."""
        books = self.audit()

        def is_settled() -> bool:
            nonlocal books
            books = self.audit()
            return books.accepted >= events and books.in_flight == 0 and books.retrying == 0

        def tell() -> str:
            return "\n".join([json.dumps(_columns(books)), *self.told()])

        until(is_settled, f"{events} events are settled", within, every=0.5, tell=tell)
        return books

    def told(self) -> list[str]:
        """Say how each process ended, if it did, and what each log says last."""
        ended = f"exit codes {[worker.poll() for worker in self.workers]}"
        return [ended, *(f"{log.name}: {log.read_text()[-2000:]}" for log in sorted(self.directory.glob("*.log")))]

    def stored(self) -> dict[str, int]:
        """Count what the event log holds, per org."""
        log = open_event_log(self.config.eventlog, SystemClock(), read_only=True)
        with closing(log):
            names = self.orgs.ledgers().keys() | self.audit().orgs.keys()
            held = {org: sum(each.events for each in log.sessions(org, limit=1_000_000)) for org in names}
        return {org: events for org, events in held.items() if events}


def until(
    holds: Callable[[], bool],
    what: str,
    within: float,
    *,
    every: float = 0.1,
    tell: Callable[[], str] = lambda: "",
) -> None:
    """Wait until *holds*, and fail with what was waited for when it does not come true."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"waited {within:g} s in vain until {what} {tell()}"
        time.sleep(every)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def _columns(books: Report) -> dict[str, int]:
    return {
        name: getattr(books, name) for name in ("accepted", "delivered", "rejected", "retrying", "in_flight", "lost")
    }


def _keys(table: Mapping[str, object]) -> str:
    return "".join(f"{json.dumps(key)} = {json.dumps(value)}\n" for key, value in table.items())
