"""How a destination stands, by the attempts that were seen, what waits on the tiers, and what people paused. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Literal

import msgspec

from headrace.console.watching.recent import Lane, Tried
from headrace.console.watching.river import Waiting
from headrace.model.mark import NOBODY
from headrace.model.pause import Pause

LATELY = 3600.0
"""Seconds after its last post from which on a destination that takes everything is quiet."""

State = Literal["paused", "parked", "failing", "delivering", "quiet"]
"""Quiet: no attempt was seen within an hour, or since the console started. Parked: failing, and its events hop past it
without a post.
"""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a destination stands, for one org or for all that were seen: *failing* of so many *lanes*.

    *since* is when that began, *error* what was answered last, *ms* the median of the posts that were seen.
    """

    state: State
    since: float | None = None
    lanes: int = 0
    failing: int = 0
    last_at: float | None = None
    delivered_at: float | None = None
    error: str = ""
    ms: float | None = None
    paused: Pause | None = None


def standing(
    destination: str,
    org: str | None,
    lanes: Sequence[Lane],
    waiting: Sequence[Waiting],
    pauses: Mapping[str, Pause],
    now: float,
    tried: Sequence[Tried] = (),
) -> Standing:
    """Say how *destination* stands at *now*, for *org* or for all. All the sequences are about it alone.

    Of a lane that all orgs share those of every org that wait are meant: where it is parked, it is so for all.
    """
    failing = [lane for lane in lanes if lane.failing_since is not None]
    paused = pauses.get(destination) or (pauses.get(f"{destination}/{org}") if org is not None else None)
    state: State = "delivering" if any(is_recent(lane, now) for lane in lanes) else "quiet"
    if failing:
        state = "parked" if parked(failing, waiting) else "failing"
    if paused is not None:
        state = "paused"
    since = min((lane.failing_since for lane in failing if lane.failing_since is not None), default=None)
    latest = max(failing or lanes, key=lambda lane: lane.at, default=None)
    return Standing(
        state=state,
        since=paused.at if paused else since,
        lanes=len(lanes),
        failing=len(failing),
        last_at=max((lane.at for lane in lanes), default=None),
        delivered_at=max((lane.delivered_at for lane in lanes if lane.delivered_at is not None), default=None),
        error=latest.error if latest else "",
        ms=round(median(each.ms for each in tried), 1) if tried else None,
        paused=paused,
    )


def parked(failing: Sequence[Lane], waiting: Sequence[Waiting]) -> set[str]:
    """Return the orgs of those *failing* lanes whose events hop past them, `-` where all orgs share one lane."""
    hopped = {each.org for each in waiting if each.reason == "parked"}
    return {lane.org for lane in failing if lane.org in hopped or (lane.org == NOBODY and hopped)}


def is_recent(lane: Lane, now: float) -> bool:
    """Tell whether something was posted on *lane* within an hour."""
    return lane.at > now - LATELY


class Lanes(msgspec.Struct, frozen=True, kw_only=True):
    """How many destinations of one org fail, and how many take everything and were posted to within an hour."""

    failing: int = 0
    delivering: int = 0


def lanes_by_org(
    lanes: Iterable[Lane], orgs: Iterable[str], destinations_of: Callable[[str], Sequence[str]], now: float
) -> Mapping[str, Lanes]:
    """Count *lanes* for each of *orgs*: those of its own, and those on its route that all orgs share."""
    own: dict[str, list[Lane]] = {}
    shared: dict[str, Lane] = {}
    for lane in lanes:
        if lane.org == NOBODY:
            shared[lane.destination] = lane
        else:
            own.setdefault(lane.org, []).append(lane)
    told = {}
    for org in orgs:
        mine = [*own.get(org, ()), *(shared[name] for name in destinations_of(org) if name in shared)]
        failing = sum(lane.failing_since is not None for lane in mine)
        delivering = sum(lane.failing_since is None and is_recent(lane, now) for lane in mine)
        told[org] = Lanes(failing=failing, delivering=delivering)
    return told
