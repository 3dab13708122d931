"""One run from the first broker to the verdict."""

import asyncio
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
from aiokafka.errors import KafkaError

from chaos import dump
from chaos.checker import Verdict, check, judge
from chaos.configuration import PREFIX
from chaos.disk import may_mount
from chaos.event import read_event
from chaos.faults import thaw
from chaos.findings import Findings
from chaos.ledger import Ledger, Setting, load
from chaos.nemesis import torment
from chaos.profile import DOWN, Profile, destination_of, routes
from chaos.proxy import Change
from chaos.records import Overslept, Stored, Writer
from chaos.schedule import Fault, build
from chaos.stage import Stage

Say = Callable[[str], None]

_ROWS = "SELECT event.n, session.org, event.value FROM event JOIN session ON session.n = event.session ORDER BY event.n"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended."""

    verdict: Verdict
    profile: str
    seed: int
    faults: int
    findings: Findings
    missed: list[str]

    @property
    def line(self) -> str:
        """The last line of a run's output."""
        figures = {**self.findings.figures, **self.findings.wrongs}
        wrongs = {name: self.findings.wrongs.get(name, 0) for name in ("lost", "order", "audit")}
        told = {"profile": self.profile, "seed": self.seed, "faults": self.faults, **wrongs, **figures}
        return f"chaos: {self.verdict} " + " ".join(
            f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in told.items()
        )


def run(profile: Profile, seed: int, directory: Path, *, plant: str = "", say: Say) -> Outcome:
    """Run *profile* with the faults of *seed* in *directory*, which must not be there yet."""
    directory.mkdir(parents=True)
    has_disks = may_mount(directory)
    if not has_disks:
        say("no tmpfs may be mounted here, which takes root: the faults of full disks are left out")
    schedule = build(profile, seed, has_disks=has_disks)
    (directory / "schedule.json").write_bytes(msgspec.json.format(msgspec.json.encode(schedule)))
    for fault in schedule:
        say(f"at {fault.at:6.1f} s for {fault.lasts:4.1f} s: {fault.kind} {fault.target}")
    with Stage(directory, profile, plant=plant, has_disks=has_disks) as stage:
        healed_at, quiet_at = asyncio.run(_play(stage, schedule, say))
        audit = _audit(stage, say)
        say("reading what Kafka holds …")
        asyncio.run(dump.dump(stage.kafka.bootstrap_servers, PREFIX, stage.records / "kafka.jsonl"))
        _dump_event_log(stage)
        for name, disk in stage.disks.items():
            if disk.is_mounted:
                shutil.copytree(disk.directory, directory / f"{name}-kept")
    setting = Setting(routes=routes(), down=[DOWN], healed_at=healed_at, quiet_at=quiet_at)
    ledger = load(stage.records, setting, audit)
    return _judged(profile, seed, schedule, ledger)


def _judged(profile: Profile, seed: int, schedule: Sequence[Fault], ledger: Ledger) -> Outcome:
    findings = check(ledger)
    return Outcome(
        verdict=judge(findings, ledger, len(schedule)),
        profile=profile.name,
        seed=seed,
        faults=len(schedule),
        findings=findings,
        missed=[f"{schedule[healed.number].kind}: {healed.evidence}" for healed in ledger.healed if not healed.bit],
    )


async def _play(stage: Stage, schedule: Sequence[Fault], say: Say) -> tuple[float, float | None]:
    """Play the schedule and heal; return when all was healed, and when all was quiet."""
    profile = stage.profile
    watching = asyncio.create_task(_watch(Writer(stage.records / "host.jsonl")))
    stage.start()
    stage.change_link(Change(link=destination_of(DOWN), mode="refuse"))
    for _ in range(profile.workers):
        stage.start_worker()
    for _ in range(profile.bots):
        stage.start_bot(profile.rate / profile.bots)
    say("everything is there; the load begins")
    began = time.monotonic()
    keeping = asyncio.create_task(_keep(stage))
    await torment(stage, schedule, Writer(stage.records / "faults.jsonl"), say)
    await asyncio.sleep(max(0.0, began + profile.load - time.monotonic()))
    keeping.cancel()
    await _heal(stage)
    healed_at = time.time()
    say("everything is healed; the bots stop talking")
    quiet_at = await _quiet(stage, healed_at + profile.quiet_within, say)
    say(f"quiet {quiet_at - healed_at:.1f} s after that" if quiet_at else "it did not become quiet in time")
    if quiet_at is None:
        for told in await asyncio.to_thread(lambda: list(stage.told())):
            say(told)
    await _stop_workers(stage)
    watching.cancel()
    return healed_at, quiet_at


async def _keep(stage: Stage) -> None:
    """Put another one into the place of each worker and bot that ends by itself, as whoever runs them would."""
    while True:
        stage.replace_crashed()
        await asyncio.sleep(1.0)


async def _watch(writer: Writer) -> None:
    """Write down how much later than asked for this process wakes up: whether the host was starved."""
    worst, since = 0.0, time.monotonic()
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.2)
        now = time.monotonic()
        worst = max(worst, now - before - 0.2)
        if now - since >= 2.0:
            writer.write(Overslept(time.time(), worst))
            worst, since = 0.0, now


async def _heal(stage: Stage) -> None:
    """See to it that everything is well but for the destination that never is, and let the bots leave."""
    stage.thaw_brokers()
    await asyncio.to_thread(stage.kafka.start)
    for process in [*stage.workers.values(), *stage.bots.values()]:
        if process.poll() is None:
            thaw(process.pid)
    for disk in stage.disks.values():
        disk.empty()
    for _ in range(stage.profile.workers - sum(process.poll() is None for process in stage.workers.values())):
        stage.start_worker()
    for process in stage.bots.values():
        if process.poll() is None:
            process.terminate()


async def _quiet(stage: Stage, deadline: float, say: Say) -> float | None:
    """Return when the bots are gone and only the dead destination's events wait; None: not by *deadline*."""
    said = 0.0
    while time.time() < deadline:
        talking = [name for name, process in stage.bots.items() if process.poll() is None]
        journal = list(stage.journal.glob("*.seg"))
        if not talking and journal:
            # What the last one that was killed left behind is for the next one on this host.
            stage.start_bot(0.0)
            await asyncio.sleep(1.0)
            list(stage.bots.values())[-1].terminate()
            continue
        waiting: Mapping[tuple[str, str], int] = {}
        with suppress(TimeoutError, KafkaError):
            waiting = await asyncio.wait_for(dump.standing(stage.kafka.bootstrap_servers, PREFIX), 30)
            if not talking and set(waiting) <= {(DOWN, destination_of(DOWN))}:
                return time.time()
        if time.time() - said > 5:
            said = time.time()
            told = ", ".join(f"{count} of {org} for {name or 'all'}" for (org, name), count in sorted(waiting.items()))
            say(f"waiting for {', '.join(talking) or 'no bot'}; {told or 'nothing waits'}")
        await asyncio.sleep(0.5)
    return None


async def _stop_workers(stage: Stage) -> None:
    running = [name for name, process in stage.workers.items() if process.poll() is None]
    await asyncio.gather(*(asyncio.to_thread(stage.stop_worker, name) for name in running))


def _audit(stage: Stage, say: Say) -> Mapping[str, Any]:
    done = stage.headrace("audit", "--json", within=300)
    try:
        document: Mapping[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        say(f"the audit gave no document: {done.stderr}")
        return {}
    return document


def _dump_event_log(stage: Stage) -> None:
    """Read the rows of the event log, in the order in which they came."""
    writer = Writer(stage.records / "eventlog.jsonl")
    with closing(sqlite3.connect(stage.eventlog)) as connection:
        for place, org, value in connection.execute(_ROWS):
            raw = value if isinstance(value, bytes) else str(value).encode()
            writer.write(Stored(place, org, read_event(raw)))
