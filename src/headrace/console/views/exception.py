"""One exception: where it throws, how one came there, whom it hit; and what a person decides about it."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import After, Limit, Org
from headrace.console.links import link
from headrace.console.sources import Log, Sources
from headrace.console.telling.faults import Fault, Frame, fault_of, marked
from headrace.console.telling.steps import Step, steps_of
from headrace.console.view import Action, View
from headrace.console.viewer import Absent, Viewer
from headrace.eventlog.pages import ExceptionQuery, ExceptionSummary, Hit, HitQuery, OrgHit
from headrace.eventlog.port import EventQuery, StoredEvent
from headrace.eventlog.upkeep import Action as Decision

ORGS = 25
"""Orgs that it hit that are shown."""

STEPS = 12
"""Events before the latest example that are shown."""

NOWHERE = "its type and the shape of its message, because nothing says where it happened"
PLACE = "its type, its culprit, and the nearest frame of the bot's own code without its line"

Fingerprint = Annotated[str, Meta(min_length=1, max_length=100, description="The exception's fingerprint.")]


class ExceptionAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which exception, of one org or of all."""

    fingerprint: Fingerprint
    org: Org | None = None
    after: After | None = None
    limit: Limit = 25


class VersionCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the sessions of this page ran one version of a bot."""

    bot: str
    version: str
    sessions: int


class ExceptionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One exception. *rule* is the version of the fingerprint, *reason* what made its events one group.

    *fault* is its latest event, *steps* lead up to it and end with it; both are absent once that is erased or expired,
    and *frames*, those nearest to the place that threw, stay. *hits* are one page of sessions. *orgs* are the most hit,
    for operators who ask about all.
    """

    group: ExceptionSummary
    rule: str
    reason: str
    frames: list[Frame]
    fault: Fault | None
    steps: list[Step]
    hits: Sequence[Hit]
    versions: list[VersionCount]
    orgs: Sequence[OrgHit] = ()
    next: str | None = None


def read_exception(ask: ExceptionAsk, sources: Sources) -> ExceptionAnswer:
    """Return one exception; raise `Absent` when it is none of the org's."""
    log = sources.log
    found = log.find_exceptions(ExceptionQuery(org=ask.org, fingerprint=ask.fingerprint, limit=1)).rows
    if not found:
        raise Absent("there is nothing here")
    group = found[0]
    example = _example(log, group)
    page = log.find_hits(HitQuery(org=ask.org, fingerprint=ask.fingerprint, after=ask.after, limit=ask.limit))
    return ExceptionAnswer(
        group=group,
        rule=group.fingerprint.partition(":")[0],
        reason=PLACE if group.culprit or group.frame else NOWHERE,
        frames=marked(tuple(group.stack.splitlines())),
        fault=None if example is None else fault_of(example.value),
        steps=[] if example is None else _steps(log, group, example),
        hits=page.rows,
        versions=_versions(page.rows),
        orgs=log.hit_orgs(None, ask.fingerprint, limit=ORGS) if ask.org is None else (),
        next=page.next,
    )


def _example(log: Log, group: ExceptionSummary) -> StoredEvent | None:
    query = EventQuery(org=group.last_org, session=group.last_session, id=group.last_id, limit=1)
    return next(iter(log.find_events(query).rows), None) if group.last_id else None


def _steps(log: Log, group: ExceptionSummary, example: StoredEvent) -> list[Step]:
    """Return the steps that led to *example*, which is the last."""
    if example.seq is None:
        return steps_of([example], is_begin=False)
    query = EventQuery(
        org=group.last_org, session=group.last_session, seq_from=max(0, example.seq - STEPS), seq_to=example.seq,
        limit=2 * STEPS,
    )  # fmt: skip
    return steps_of(log.find_events(query).rows, is_begin=False)


def _versions(hits: Sequence[Hit]) -> list[VersionCount]:
    counted = Counter((each.bot, each.version) for each in hits)
    return [
        VersionCount(bot=bot, version=version, sessions=sessions) for (bot, version), sessions in counted.most_common()
    ]


class DecideAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided about an exception, of one org or of all that it hit."""

    fingerprint: Fingerprint
    action: Annotated[Decision, Meta(description="What is decided; reopen takes either of the others back.")]
    org: Org | None = None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """Of how many orgs' exceptions it was decided."""

    orgs: int


def decide(ask: DecideAsk, sources: Sources, by: Viewer) -> Decided:
    """Note the decision; raise `Absent` when there is no such exception."""
    orgs = sources.log.decide(ask.org, ask.fingerprint, ask.action, by.name)
    if not orgs:
        raise Absent("there is nothing here")
    return Decided(orgs=orgs)


def _back(ask: DecideAsk, _: Decided) -> str:
    return link(EXCEPTION.path, {"fingerprint": ask.fingerprint, "org": ask.org})


EXCEPTION = View(
    name="exception",
    path="/exceptions/{fingerprint}",
    title="Exception",
    ask=ExceptionAsk,
    answer=ExceptionAnswer,
    read=read_exception,
    help="Where one exception throws, how one came there, and which sessions it hit.",
)

DECIDE = Action(
    name="decide",
    path="/exceptions/{fingerprint}/decide",
    title="Decide about an exception",
    ask=DecideAsk,
    answer=Decided,
    do=decide,
    audience="org",
    form="exception",
    back=_back,
    help="Resolve an exception, ignore it, or reopen it.",
)
