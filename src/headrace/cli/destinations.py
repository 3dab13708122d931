"""`headrace destinations`: what there is, and a person's decision to let one have no posts for now."""

import getpass
from pathlib import Path

import msgspec

from headrace import app
from headrace import config as configuration
from headrace.cli.noting import noted
from headrace.cli.output import emit_document
from headrace.clock import SystemClock
from headrace.config import Config
from headrace.errors import UsageError
from headrace.model.nearest import nearest
from headrace.model.pause import Pause
from headrace.wire.times import to_text


class Listed(msgspec.Struct, kw_only=True):
    """One destination, and its pauses."""

    destination: str
    type: str
    pauses: list[Pause]


def list_destinations(*, config: Path | None = None, json: bool = False) -> int:
    """List the configured destinations, and which of them somebody has paused.

    Example: headrace destinations list

    Parameters
    ----------
    config
        The configuration file; else HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    settings = configuration.load(config)
    paused = app.pauses(settings)
    try:
        found = list(paused.look().values())
    finally:
        paused.close()
    listed = [
        Listed(
            destination=name,
            type=each.type,
            pauses=sorted((pause for pause in found if pause.destination == name), key=lambda pause: pause.name),
        )
        for name, each in settings.destinations.items()
    ]
    emit_document(listed, "\n".join(map(_line, listed)), json=json)
    return 0


def pause(
    destination: str, *, org: str | None = None, why: str = "", config: Path | None = None, json: bool = False
) -> int:
    """Let a destination have no posts: its events go from tier to tier, and nothing is given up, until it is resumed.

    Every worker hears of it within a few seconds; a post under way is finished.

    Example: headrace destinations pause crm --org acme --why "their server moves"

    Parameters
    ----------
    destination
        Its name in the configuration.
    org
        Pause it for this org only.
    why
        A word for whoever wonders.
    config
        The configuration file; else HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    settings = configuration.load(config)
    wanted = Pause(destination=destination, org=org, by=getpass.getuser(), at=SystemClock().wall(), why=why)
    _check(settings, wanted)
    with noted(settings.eventlog, "pause", org=org, target=destination, asked={"org": org, "why": why}) as ended:
        app.pausing(settings).pause(wanted)
        ended(wanted)
    emit_document(wanted, f"{wanted.name} is paused; `headrace destinations resume` lets it go on", json=json)
    return 0


def resume(destination: str, *, org: str | None = None, config: Path | None = None, json: bool = False) -> int:
    """Let a paused destination have posts again: what waits comes when its tier's time is up.

    Example: headrace destinations resume crm --org acme

    Parameters
    ----------
    destination
        Its name in the configuration.
    org
        The org for which it was paused.
    config
        The configuration file; else HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    settings = configuration.load(config)
    wanted = Pause(destination=destination, org=org, by=getpass.getuser(), at=SystemClock().wall())
    _check(settings, wanted)
    with noted(settings.eventlog, "resume", org=org, target=destination, asked={"org": org}) as ended:
        app.pausing(settings).resume(wanted)
        ended(wanted)
    emit_document(wanted, f"{wanted.name} goes on", json=json)
    return 0


def _check(settings: Config, wanted: Pause) -> None:
    found = settings.destinations.get(wanted.destination)
    if found is None:
        raise UsageError(
            f"there is no destination {wanted.destination}; {nearest(wanted.destination, settings.destinations)}"
        )
    if wanted.org is not None and found.shared:
        raise UsageError(f"{wanted.destination} is one lane for all orgs: pause it without --org")


def _line(each: Listed) -> str:
    if not each.pauses:
        return f"{each.destination}  {each.type}"
    told = [
        f"paused{f' for {pause.org}' if pause.org else ''} since {to_text(pause.at)} by {pause.by}"
        f"{f': {pause.why}' if pause.why else ''}"
        for pause in each.pauses
    ]
    return "\n".join([f"{each.destination}  {each.type}", *(f"  {line}" for line in told)])
