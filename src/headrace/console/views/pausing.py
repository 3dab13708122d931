"""Pausing a destination, for one org or for all, and letting it go on."""

from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import Destination, Org
from headrace.console.links import link
from headrace.console.sources import Sources
from headrace.console.view import Action
from headrace.console.viewer import Absent, Viewer
from headrace.errors import UsageError
from headrace.model.pause import Pause


class PauseAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paused, and why."""

    destination: Destination
    org: Annotated[Org | None, Meta(description="Only for this org; left out: for every org.")] = None
    why: Annotated[str, Meta(max_length=200, description="A word for whoever wonders.")] = ""


class ResumeAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What is to go on."""

    destination: Destination
    org: Annotated[Org | None, Meta(description="The org for which it was paused.")] = None


def pause(ask: PauseAsk, sources: Sources, by: Viewer) -> Pause:
    """Let the destination have no posts: its events hop, and nothing is given up."""
    wanted = Pause(destination=ask.destination, org=ask.org, by=by.name, at=sources.clock.wall(), why=ask.why)
    _check(wanted, sources)
    sources.pausing.pause(wanted)
    return wanted


def resume(ask: ResumeAsk, sources: Sources, by: Viewer) -> Pause:
    """Let the destination have posts again."""
    wanted = Pause(destination=ask.destination, org=ask.org, by=by.name, at=sources.clock.wall())
    _check(wanted, sources)
    sources.pausing.resume(wanted)
    return wanted


def _check(wanted: Pause, sources: Sources) -> None:
    found = sources.facts.destinations.get(wanted.destination)
    if found is None:
        raise Absent("there is nothing here")
    if wanted.org is not None and found.shared:
        raise UsageError(f"{wanted.destination} is one lane for all orgs: it can be paused for all of them only")


def _back(ask: PauseAsk | ResumeAsk, done: Pause) -> str:  # noqa: ARG001  # what was done is seen there
    return link("/destinations/{destination}", {"destination": ask.destination})


PAUSE = Action(
    name="pause",
    path="/destinations/{destination}/pause",
    title="Pause",
    ask=PauseAsk,
    answer=Pause,
    do=pause,
    urgent=True,
    form="destination",
    back=_back,
    help="Let a destination have no posts for now; every worker hears of it within seconds.",
)

RESUME = Action(
    name="resume",
    path="/destinations/{destination}/resume",
    title="Resume",
    ask=ResumeAsk,
    answer=Pause,
    do=resume,
    urgent=True,
    form="destination",
    back=_back,
    help="Let a paused destination have posts again.",
)
