"""The plan of a redrive: which letters would go, whose they are, and how long it would take. It changes nothing."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.dead.book import Memory
from headrace.console.dead.letters import Letter, LetterRow, Wanted
from headrace.console.fields import Org, Text, Time
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.views.dead import Kind, Reason
from headrace.model.mark import NOBODY

SAMPLE = 10
"""Letters of the plan that are shown: the oldest and the newest."""

NAMED = 20
"""Orgs that are named; the rest is counted."""

UNASKED = 100
"""Letters up to which nobody has to type how many they are."""

Rate = Annotated[float, Meta(ge=0.1, le=10_000, description="At most so many letters a second.")]


class PlanAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which open letters."""

    org: Org | None = None
    destination: Annotated[Text | None, Meta(description="Only those for this destination.")] = None
    reason: Reason = None
    kind: Kind | None = None
    text: Annotated[Text, Meta(description="In what they say.")] = ""
    since: Time | None = None
    until: Annotated[Time | None, Meta(description="Died before this time; left out: before now.")] = None
    rate: Rate = 100.0


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the letters one org or destination has."""

    name: str
    count: int


class Goal(Share, frozen=True, kw_only=True):
    """A destination: where it is not configured, its letters stay; those of `-` are routed anew."""

    is_configured: bool


class PlanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """*total* letters that died before *until*, *seconds* long at the rate. *more_orgs* are not named.

    *must_type* says that whoever redrives them has to say how many they are.
    """

    total: int
    until: float
    orgs: Sequence[Share]
    more_orgs: int
    destinations: Sequence[Goal]
    oldest: float | None
    newest: float | None
    seconds: float
    must_type: bool
    sample: Sequence[LetterRow]
    memory: Memory


def read_plan(ask: PlanAsk, sources: Sources) -> PlanAnswer:
    """Plan, from what the console remembers."""
    until = ask.until if ask.until is not None else sources.clock.wall()
    found = sources.letters.find(wanted(ask, until))
    orgs = Counter(letter.org for letter in found).most_common()
    goals = Counter(letter.destination for letter in found).most_common()
    configured = {NOBODY, *sources.facts.destinations}
    return PlanAnswer(
        total=len(found),
        until=until,
        orgs=[Share(name=name, count=count) for name, count in orgs[:NAMED]],
        more_orgs=len(orgs[NAMED:]),
        destinations=[Goal(name=name, count=count, is_configured=name in configured) for name, count in goals],
        oldest=found[0].died if found else None,
        newest=found[-1].died if found else None,
        seconds=len(found) / ask.rate,
        must_type=len(found) > UNASKED,
        sample=[sources.letters.row(each) for each in _sample(found)],
        memory=sources.letters.memory,
    )


def wanted(ask: PlanAsk, until: float) -> Wanted:
    """Return the open letters that *ask* means, died before *until*."""
    chosen = {name: getattr(ask, name) for name in ("org", "destination", "reason", "kind", "text", "since")}
    return Wanted(**chosen, until=until, state="open")


def _sample(found: Sequence[Letter]) -> Sequence[Letter]:
    half = SAMPLE // 2
    return found if len(found) <= SAMPLE else [*found[:half], *found[-half:]]


PLAN = View(
    name="plan",
    path="/dead/plan",
    title="Plan a redrive",
    ask=PlanAsk,
    answer=PlanAnswer,
    read=read_plan,
    needs="memory",
    help="What a redrive would do; it changes nothing.",
)
