"""The assembly of the console, beside `headrace.app`: a worker has no use for a web server."""

import platform
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path

import msgspec

from headrace import app
from headrace import config as configuration
from headrace.broker.port import Reader
from headrace.clock import Clock, SystemClock
from headrace.config import Config
from headrace.console.access.signed import is_open_to_all
from headrace.console.alarm.alerting import LOOK_EVERY as ALERT_EVERY
from headrace.console.alarm.alerting import Alerting
from headrace.console.alarm.keeping import AlertKeeping
from headrace.console.alarm.notifying import Notifier
from headrace.console.annex import Annex
from headrace.console.building import build
from headrace.console.chores import Chore, Pulse
from headrace.console.rehearsals import Rehearsals, Rehearse
from headrace.console.sources import Facts, Sources
from headrace.console.standing import Standing, stand
from headrace.console.watching.findings import Checking
from headrace.console.watching.watch import Watch
from headrace.console.watching.watchman import CALM, Rhythm, Watchman
from headrace.console.web.health import Vitals
from headrace.console.web.served import Served
from headrace.core.columns import Account
from headrace.core.positions import Positions
from headrace.emitter import claim
from headrace.eventlog.keeper import LOOK_EVERY, Keeper
from headrace.eventlog.opening import open_event_log
from headrace.ledger import positions
from headrace.ledger.audit import Ledger
from headrace.model.exchange import Exchange
from headrace.sinks.http import witnessed
from headrace.sinks.rehearsal import Notes, rehearse
from headrace.sinks.signing import Signer

CHECK_EVERY = 60.0
"""Seconds between two checks of the whole installation by a console."""

REHEARSED_WITHIN = 8.0
"""Seconds that a test send may take: whoever sent it waits for the page."""

STANDS_ON = ("headrace", "confluent-kafka", "aiohttp", "msgspec", "starlette", "uvicorn")
"""The packages whose versions are told."""


def console(
    config: Config,
    *,
    host: str | None = None,
    port: int | None = None,
    annexes: Sequence[Annex] = (),
    watch: Watch | None = None,
    rhythm: Rhythm = CALM,
) -> Served:
    """Return the web console, to be served while its context lasts; raise `HeadraceError` when its port is taken.

    Raise `ConfigError` where it would be open beyond this machine. *annexes* are what other rooms add to it; *watch*
    is told what is seen of the river, in that *rhythm*.
    """
    settings = msgspec.structs.replace(config.console, host=host or config.console.host)
    is_open_to_all(settings)  # refuses before anything is opened
    clock = SystemClock()
    facts = _facts(config)
    watch, checking, rehearsals = watch or Watch(), Checking(lambda: app.checks(config), clock), Rehearsals()
    standing = _standing(config, clock)
    watching = _watching(config, watch, rhythm, clock)
    chores = [*standing.chores, watching, _keeping(config, clock), _checking(checking, clock)]
    pulses = partial(_pulses, chores)
    alerting, alerts_chore = _alerting(config, watch, pulses, clock)
    chores.append(alerts_chore)
    vitals = Vitals(watch, standing.tail, clock, pulses=pulses, board=alerting.board)

    def open_sources() -> Sources:
        log = open_event_log(config.eventlog, clock)
        return Sources(
            log=log,
            reader=app.broker(config).reader(),
            pauses=app.pauses(config),
            pausing=app.pausing(config),
            facts=facts,
            clock=clock,
            watch=watch,
            pulses=pulses,
            alerts=alerting,
            findings=checking.latest,
            rehearse=rehearsing(config),
            rehearsals=rehearsals,
            letters=standing.letters,
            jobs=standing.jobs,
            tail=standing.tail,
            late_notes=standing.late_notes,
        )

    site = build(open_sources, facts, clock, settings, tail=standing.tail, vitals=vitals, annexes=annexes)
    return Served(site, settings.host, settings.port if port is None else port, chores)


def _standing(config: Config, clock: Clock) -> Standing:
    """Make what the pages of letters, jobs and the live tail share."""
    return stand(
        config.names,
        clock,
        open_reader=app.broker(config).reader,
        open_redriver=lambda: app.redriver(config),
        open_trail=lambda: open_event_log(config.eventlog, clock),
    )


def _pulses(chores: Sequence[Chore]) -> Sequence[Pulse]:
    """Tell how each chore does."""
    return [chore.pulse for chore in chores]


def _facts(config: Config) -> Facts:
    """Gather what a console knows of the configuration."""
    return Facts(
        environment=config.console.environment,
        names=config.names,
        destinations=config.destinations,
        destinations_of=app.destinations_of(config),
        tiers=config.retry.tiers,
        give_up_after=config.retry.give_up_after,
        retention=config.eventlog.retention,
        topic_retention=config.topics.retention,
        settings=configuration.show(config),
        versions=versions(),
    )


def rehearsing(config: Config) -> Rehearse:
    """Return what posts one event by hand, through the sink that a worker would make."""

    def send(destination: str, org: str, id_: str, value: bytes) -> Exchange:
        notes, meant = Notes(), config.destinations[destination]
        sink = app.registry(config, witnessed(notes)).make(meant, min(config.delivery.timeout, REHEARSED_WITHIN))
        return rehearse(sink, notes, meant, org, id_, value)

    return send


def versions() -> dict[str, str]:
    """Return the versions of what Headrace stands on."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in STANDS_ON}


def _watching(config: Config, watch: Watch, rhythm: Rhythm, clock: Clock) -> Chore:
    """Look at the river, and close its books."""
    ledger = Ledger(config.names, app.destinations_of(config))

    def close_books(reader: Reader, seen: Callable[[int], None]) -> tuple[Account, Positions]:
        closed = ledger.close(reader, seen=seen)
        return closed.account, closed.positions

    def survey(reader: Reader) -> Positions:
        return positions.look(reader, config.names)

    watchman = Watchman(
        watch, app.broker(config).reader, survey, close_books, app.pauses(config), config.names, clock, rhythm
    )
    every = rhythm.look / 2
    return Chore("watch", "looks at the river, and closes its books", watchman.step, every, clock, watchman.close)


def _keeping(config: Config, clock: Clock) -> Chore:
    """Keep the event log: counters and retention."""
    store, reader = open_event_log(config.eventlog, clock), app.broker(config).reader()
    keeper = Keeper(store, reader, config.names, clock, config.eventlog.retention)

    def close() -> None:
        store.close()
        reader.close()

    return Chore("keeper", "counts for the graphs, and lets old events go", keeper.step, LOOK_EVERY, clock, close)


def _checking(checking: Checking, clock: Clock) -> Chore:
    """Check the installation, as `headrace doctor` does."""
    return Chore("checks", "checks what headrace doctor checks", checking.step, CHECK_EVERY, clock)


def notifier(config: Config, clock: Clock) -> Notifier:
    """Return what posts notifications of alerts."""
    settings = config.alerts
    sign = Signer(settings.secret).sign if settings.secret and settings.url else None
    return Notifier(settings.url, sign, clock, config.console.environment)


def _alerting(
    config: Config, watch: Watch, pulses: Callable[[], Sequence[Pulse]], clock: Clock
) -> tuple[Alerting, Chore]:
    """Look for what is wrong, and tell."""
    paused, directory = app.pauses(config), Path(config.emitter.journal_dir)

    def journal() -> tuple[int, int] | None:
        try:
            return claim.size(directory), config.emitter.journal_bytes
        except OSError:
            return None  # no bot of this host has journaled

    alerting = Alerting(
        config.alerts,
        watch,
        notifier(config, clock),
        clock,
        pulses=pulses,
        pauses=paused.look,
        journal=journal,
        forget=2 * config.retry.tiers[-1] + config.alerts.failing,
        keeping=AlertKeeping(lambda: open_event_log(config.eventlog, clock)),
    )

    def close() -> None:
        alerting.close()
        paused.close()

    return alerting, Chore("alerts", "looks for what is wrong, and tells", alerting.step, ALERT_EVERY, clock, close)
