"""Every process of a run, its directories and its ports; everything that was started is ended by its id."""

import asyncio
import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

import msgspec

from chaos import dump, proxy
from chaos import profile as profiles
from chaos.bot import Assignment
from chaos.configuration import PREFIX, configuration
from chaos.disk import Disk
from chaos.org_server import Told
from chaos.parent import PARENT
from chaos.profile import Profile
from chaos.proxy import Change, Counts
from chaos.records import Crashed, Writer
from headrace import app
from headrace import config as configurations
from headrace.errors import BrokerError
from headrace.localkafka.cluster import LocalKafka
from headrace.localkafka.ports import free_ports
from headrace.localkafka.process import BrokerProcess
from river import until

BROKERS = 3
_JOURNAL = 64 << 20
_PATH = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(Path(__file__).parents[1])]))


class Stage:
    """What plays in one run. Use it as a context; *plant* is a bug to put into the workers."""

    def __init__(self, directory: Path, profile: Profile, *, plant: str = "", has_disks: bool = True) -> None:
        self.directory = directory
        self.profile = profile
        self.records = directory / "records"
        self.records.mkdir(parents=True)
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self.bots: dict[str, subprocess.Popen[bytes]] = {}
        self.ended: set[str] = set()
        """The names of those who ended and were meant to."""
        self._plant = plant
        self._others: dict[str, subprocess.Popen[bytes]] = {}
        self._starts = 0
        self._secrets = {
            name: "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode() for name in profiles.destinations()
        }
        names = [f"broker-{number}" for number in range(BROKERS)] + profiles.destinations()
        first = free_ports(len(names) + 1 + BROKERS)
        self.links = {name: first + number for number, name in enumerate(names)}
        self._org_port = first + len(names)
        self.kafka = LocalKafka(
            directory / "kafka",
            port=self._org_port + 1,
            brokers=BROKERS,
            proxies=[self.links[f"broker-{number}"] for number in range(BROKERS)],
        )
        self.control = directory / "proxy.sock"
        self._crashes = Writer(self.records / "crashes.jsonl")
        self.config = directory / "headrace.toml"
        sizes = {"journal": _JOURNAL, "eventlog": profile.disk}
        self.disks = {name: Disk(directory / name, size if has_disks else 0) for name, size in sizes.items()}
        self.journal = self.disks["journal"].directory / "segments"
        self.eventlog = self.disks["eventlog"].directory / "eventlog.db"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        warden = self._others.pop("warden", None)
        for process in [*self.workers.values(), *self.bots.values(), *self._others.values()]:
            process.kill()
            process.wait()
        self.thaw_brokers()
        for number in range(BROKERS):
            BrokerProcess(self.kafka.directory / f"broker-{number}").kill()
        for disk in self.disks.values():
            disk.unmount()
        if warden is not None:
            warden.kill()
            warden.communicate()

    def start(self) -> None:
        """Start the brokers, the proxies and the org servers, and make the topics."""
        for disk in self.disks.values():
            disk.mount()
        self._spawn_warden()
        self.kafka.start()
        links = {name: (port, self._target(name)) for name, port in self.links.items()}
        self._others["proxy"] = self._spawn("proxy", "chaos.proxy", str(self.control), json.dumps(links))
        self._others["orgs"] = self._spawn(
            "orgs",
            "chaos.org_server",
            str(self._org_port),
            str(self.records / "requests.jsonl"),
            json.dumps(self._secrets),
        )
        self.config.write_text(
            configuration(
                self.directory,
                brokers=BROKERS,
                links=self.links,
                secrets=self._secrets,
                journal=self.journal,
                eventlog=self.eventlog,
            )
        )
        until(self.control.exists, "the proxies listen", 30)
        done = self.headrace("topics", "apply")
        if done.returncode:
            raise RuntimeError(f"the topics could not be made: {done.stderr}")
        dump.uncompress(self.kafka.bootstrap_servers, PREFIX)

    def pid_of_broker(self, number: int) -> int:
        """Return the process id of a broker; 0 when it does not run."""
        return BrokerProcess(self.kafka.directory / f"broker-{number}").pid() or 0

    def port_of_broker(self, number: int) -> int:
        """Return where a broker listens without a proxy."""
        return self._org_port + 1 + number

    def thaw_brokers(self) -> None:
        for number in range(BROKERS):
            if pid := self.pid_of_broker(number):
                os.kill(pid, signal.SIGCONT)

    def start_worker(self) -> str:
        """Start one more worker; return its name."""
        name = self._named("worker")
        plant = ["--plant", self._plant] if self._plant else []
        self.workers[name] = self._spawn(name, "chaos.worker", *plant, str(self.config), CHAOS_WORKER=name)
        return name

    def start_bot(self, rate: float) -> str:
        """Start one more bot, which says *rate* events a second; return its name."""
        name = self._named("bot")
        assignment = Assignment(
            name=name,
            first=self._starts * 10_000_000,
            config=str(self.config),
            records=str(self.records / f"{name}.jsonl"),
            orgs=profiles.orgs(),
            quieter=[profiles.DOWN],
            sessions=self.profile.sessions,
            rate=rate,
            patience=self.profile.quiet_within,
        )
        self.bots[name] = self._spawn(name, "chaos.bot", msgspec.json.encode(assignment).decode())
        return name

    def replace_crashed(self) -> None:
        """Start another one for each worker and bot that ended by itself.

        One that found no Kafka when it started says so and ends, as it should.
        """
        for name, process in [*self.workers.items(), *self.bots.items()]:
            code = process.poll()
            if code is not None and name not in self.ended:
                self.ended.add(name)
                if name in self.workers:
                    self.start_worker()
                else:
                    self.start_bot(self.profile.rate / self.profile.bots)
                if b"nobody answers" not in (self.directory / f"{name}.log").read_bytes()[-400:]:
                    self.crashed(name, f"ended by itself with exit code {code}")

    def crashed(self, name: str, how: str) -> None:
        """Write down that a process did not live, or not end, as it should."""
        self._crashes.write(Crashed(name, how, time.time()))

    def stop_worker(self, name: str, within: float = 30.0) -> int | None:
        """Tell a worker to stop, and return its exit code; None, and a word in its log of where it is, if it does not.

        It has `delivery.drain`, 10 s, and whatever Kafka needs on top.
        """
        process = self.workers[name]
        self.ended.add(name)
        process.terminate()
        try:
            return process.wait(within)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
            process.kill()
            process.wait()
            self.crashed(name, f"did not end within {within:g} s of SIGTERM")
            return None

    def told(self) -> Iterator[str]:
        """Say who is in the group, and where each worker stands: what is needed to know why nothing goes on."""
        config = configurations.load(self.config)
        with closing(app.broker(config).reader()) as reader, suppress(BrokerError):
            group = reader.group(config.names.group)
            yield f"the group is {group.state}"
            for member in group.members:
                yield f"{member.id} holds {', '.join(map(str, member.holds)) or 'nothing'}"
        for name, process in self.workers.items():
            if process.poll() is None:
                process.send_signal(signal.SIGUSR1)
                time.sleep(0.5)
            tail = (self.directory / f"{name}.log").read_text(errors="replace")[-4000:]
            yield f"{name} ({process.pid}, exit code {process.poll()}):\n{tail}"

    def headrace(self, *words: str, within: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run one command of the command line to its end."""
        command = [sys.executable, "-m", "headrace", *words, "--config", str(self.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=within, check=False)

    def change_link(self, change: Change) -> Counts:
        """Tell a proxy how to behave."""
        return proxy.ask(self.control, change)

    async def tell_org(self, told: Told) -> None:
        """Tell an org server how to behave."""
        body = msgspec.json.encode(told)
        reader, writer = await asyncio.open_connection(proxy.LOOPBACK, self._org_port)
        head = f"POST /_fault HTTP/1.1\r\nHost: orgs\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        status = await reader.readline()
        writer.close()
        if b"200" not in status:
            raise RuntimeError(f"the org server does not do as it is told: {status!r}")

    def _named(self, what: str) -> str:
        self._starts += 1
        return f"{what}-{self._starts}"

    def _target(self, link: str) -> int:
        kind, _, number = link.partition("-")
        return self.kafka.behind_proxies[int(number)] if kind == "broker" else self._org_port

    def _spawn(self, name: str, module: str, *words: str, **variables: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": _PATH,
            PARENT: str(os.getpid()),
            **variables,
        }
        with (self.directory / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def _spawn_warden(self) -> None:
        """Start who ends the brokers and gives the disks back when this process cannot."""
        self._others["warden"] = subprocess.Popen(
            [sys.executable, "-m", "chaos.warden", str(self.directory)],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": _PATH},
            start_new_session=True,
        )
