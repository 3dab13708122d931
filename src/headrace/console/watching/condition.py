"""How a destination stands, by the attempts that were seen, what waits on the tiers, and what people paused. Pure."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Literal

import msgspec

from headrace.console.watching.recent import Lane, Tried
from headrace.console.watching.river import Waiting
from headrace.model.mark import NOBODY
from headrace.model.pause import Pause

State = Literal["paused", "parked", "failing", "delivering", "quiet"]
"""Quiet: no attempt was seen since the console started. Parked: failing, and its events hop past it without a post."""


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
    tried: Sequence[Tried] = (),
) -> Standing:
    """Say how *destination* stands, for *org* or for all. All the sequences are about it alone."""
    failing = [lane for lane in lanes if lane.failing_since is not None]
    paused = pauses.get(destination) or (pauses.get(f"{destination}/{org}") if org is not None else None)
    state: State = "delivering" if lanes else "quiet"
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
