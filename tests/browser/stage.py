"""A console to look at: the real assembly over a broker in memory, with real conversations and trouble in it."""

import asyncio
import json
import math
import random
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from dialogues.format import understand
from dialogues.play import play
from headrace import app, console_app
from headrace import config as configuration
from headrace.broker.memory import MemoryBroker
from headrace.clock import SystemClock
from headrace.config import Config
from headrace.emitter.emitter import Emitter
from headrace.eventlog.counting import EVERY_ORG, NOWHERE, STEPS, Counter
from headrace.eventlog.graphs import Counted
from headrace.eventlog.keeper import Keeper
from headrace.eventlog.opening import open_event_log
from headrace.model.record import TopicPartition
from headrace.testing.dialogues import dialogues
from headrace.testing.faults import Match, Results, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from helpdesk_bot.converse import converse

ORGS = ("acme", "globex", "initech", "umbrella")
CONVERSATIONS = 48
DIALOGUES = 40
HISTORY = 180
"""Minutes of counters that the graphs have, before those of now."""

NOTHING: Mapping[str, str] = {}

HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{ 7*7 }} javascript:alert(3) " + "long" * 80

CONFIG = """\
[console]
environment = "test"
port = 0
[topics]
partitions = 3
[emitter]
journal_dir = "journal"
[retry]
tiers = ["1s", "1m", "10m"]
give_up_after = "24h"
[eventlog]
url = "sqlite:///eventlog.db"
[destinations.log]
type = "eventlog"
[destinations.crm]
type = "http"
url = "{url}"
[routes]
"*" = ["log", "crm"]
"""


@contextmanager
def stage(directory: Path) -> Iterator[str]:
    """Serve a console whose river has just been at work; yield its address. All of it is gone afterwards."""
    memory = MemoryBroker()
    with SimulatedOrg() as orgs, assembled(directory, CONFIG.format(url=orgs.url), memory) as config:
        app.apply_topics(config)
        orgs.plan("globex", always(Status(status=503, body="down for maintenance")))
        orgs.plan("initech", always(Results(rejected=Match(type="bot.intent.detected"))))
        with _worker(config):
            with ThreadPoolExecutor(1) as elsewhere:  # Playwright's own event loop runs in this thread
                elsewhere.submit(_talk, config).result()
            _wait_until_settled(config)
        _count(config, memory)
        with console_app.console(config) as served:
            _redrive(served.url)
            yield served.url


@contextmanager
def assembled(
    directory: Path, settings: str, memory: MemoryBroker, surroundings: Mapping[str, str] = NOTHING
) -> Iterator[Config]:
    """Load *settings*, with *memory* as the broker of what is assembled of them; what has another Kafka keeps it."""
    file, broker = directory / "headrace.toml", app.broker
    file.write_text(settings)
    config = configuration.load(file, surroundings)
    app.broker = lambda asked: memory if asked.kafka == config.kafka else broker(asked)  # type: ignore[assignment]
    try:
        yield config
    finally:
        app.broker = broker


@contextmanager
def _worker(config: Config) -> Iterator[None]:
    worker = app.worker(config)
    thread = threading.Thread(target=lambda: asyncio.run(worker.run()))
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(30)


def _talk(config: Config) -> None:
    emitter = app.emitter(config)
    for seed in range(CONVERSATIONS):
        converse(emitter, ORGS[seed % len(ORGS)], f"help-{seed:03}", seed)
    asyncio.run(play(understand(dialogues(DIALOGUES)), emitter, orgs=len(ORGS)))
    _mean_harm(emitter)
    assert emitter.flush(10) == 0
    emitter.close()


def _mean_harm(emitter: Emitter) -> None:
    """One conversation whose every text is meant to break a page."""
    with emitter.session(org="acme", bot=HOSTILE[:60].replace("/", "\\"), session=HOSTILE[:90]) as log:
        log.started(channel=HOSTILE[:40], version=HOSTILE[:40], user=HOSTILE[:40])
        with log.turn(input="text"):
            log.emit("bot.message.received", text=HOSTILE)
            log.emit("bot.variable.set", variable=HOSTILE[:50], value={HOSTILE: [HOSTILE]})
            with log.action(HOSTILE[:80], kind="apex", argument=HOSTILE) as action:
                action.fail(HOSTILE, type=HOSTILE[:60])
            log.emit("bot.message.sent", text=HOSTILE)


def _wait_until_settled(config: Config) -> None:
    """Wait until the group has committed all of the main topic, and what retries at once has been tried again."""
    reader = app.broker(config).reader()
    bounds = reader.bounds(config.names.events)
    ends = {TopicPartition(config.names.events, number): stop for number, (_, stop) in bounds.items()}
    deadline = time.monotonic() + 30
    while True:
        committed = reader.committed(config.names.group, list(ends))
        if all(place in committed and committed[place].offset >= stop for place, stop in ends.items()):
            break
        assert time.monotonic() < deadline, "the worker does not come to an end"
        time.sleep(0.05)
    reader.close()


def _redrive(console: str) -> None:
    """Put some letters back, so that there is a job, and a trail of it."""
    asked = json.dumps({"org": "initech", "text": "help-00"}).encode()
    urlopen(Request(f"{console}/api/v1/jobs", asked, {"Content-Type": "application/json"}), timeout=10).close()


def _count(config: Config, memory: MemoryBroker) -> None:
    """Bring the counters up to date, and give them a past."""
    clock = SystemClock()
    log = open_event_log(config.eventlog, clock)
    Keeper(log, memory.reader(), config.names, clock, 0).count()
    log.count(Counted(counters=list(_past(clock.wall()))))
    log.close()


def _past(now: float) -> Iterator[Counter]:
    """Counters of the last hours: two calm orgs, one that breaks for half an hour, one that refuses some."""
    rng = random.Random(5)
    first = int(now) // 60 * 60 - HISTORY * 60
    for minute in range(HISTORY):
        is_broken, emitted = 60 <= minute < 90, 0
        for number, org in enumerate(ORGS):
            events = int(300 + 60 * number + 80 * math.sin(minute / 25 + number) + rng.random() * 40)
            emitted += events
            for destination in ("log", "crm"):
                failing = destination == "crm" and org == "globex" and is_broken
                dead = rng.randrange(4) if destination == "crm" and org == "initech" else 0
                ms = (180 if failing else 30) + 25 * rng.random()
                yield from _everywhere(
                    org,
                    destination,
                    first + 60 * minute,
                    posts=events // 20,
                    failed=events // 20 if failing else 0,
                    posted=events,
                    refused=dead,
                    bytes=events * 420,
                    ms=ms * (events // 20),
                    slowest_ms=ms * 6,
                    aged=events // 20 - (events // 20 if failing else 0),
                    age_ms=0 if failing else (ms + 40) * (events // 20),
                    oldest_ms=0 if failing else ms * 9,
                    accepted=events,
                    delivered=0 if failing else events - dead,
                    retried=events if failing else 0,
                    dead=dead,
                )
        for step in STEPS:
            at = first + 60 * minute
            start = at - at % step if step else 0
            yield Counter(step=step, org=EVERY_ORG, destination=NOWHERE, at=start, emitted=emitted)


def _everywhere(org: str, destination: str, at: int, **numbers: float) -> Iterator[Counter]:
    for whose in (org, EVERY_ORG):
        for step in STEPS:
            start = at - at % step if step else 0
            yield Counter(step=step, org=whose, destination=destination, at=start, **numbers)  # type: ignore[arg-type]
