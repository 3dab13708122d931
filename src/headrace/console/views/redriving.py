"""Redriving: what people can do about dead letters, and about the jobs that do it.

An org's viewers redrive their own letters: it changes nothing but when their own events come to their own
destinations, at a rate that the pipeline bears, and it is they who know when a destination is mended.
"""

import math
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.dead.jobs import Job, new_id
from headrace.console.dead.letters import Position, letter_of
from headrace.console.fields import Org
from headrace.console.links import link
from headrace.console.sources import Sources
from headrace.console.view import Action
from headrace.console.viewer import Absent, Viewer
from headrace.console.views.jobs import JOB, JobAsk
from headrace.console.views.letter import Offset, Partition, find
from headrace.console.views.plan import UNASKED, PlanAsk, wanted
from headrace.errors import UsageError
from headrace.model.units import Duration
from headrace.wire.letters import read_letter

LONGEST = 3600.0
"""Seconds that a redrive of an org's viewer may take by its rate: it runs in one of few places."""


class RedriveAsk(PlanAsk, frozen=True, kw_only=True):
    """Which open letters to put back, as their plan says."""

    count: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000_000)] | None,
        Meta(description=f"How many they are; has to be given where they are more than {UNASKED}."),
    ] = None


class RedriveLetterAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which letter to put back."""

    partition: Partition
    offset: Offset
    org: Org | None = None


def redrive(ask: RedriveAsk, sources: Sources, by: Viewer) -> Job:
    """Begin to put letters back."""
    now = sources.clock.wall()
    meant = wanted(ask, now if ask.until is None else ask.until)
    found = sources.letters.find(meant)
    if not found:
        raise UsageError("no open dead letter is meant by this: look at the plan again")
    if len(found) > UNASKED and ask.count != len(found):
        raise UsageError(f"these are {len(found)} letters: look at the plan again, and type {len(found)} to go on")
    if by.org is not None and len(found) / ask.rate > LONGEST:
        least = max(0.1, math.ceil(len(found) / LONGEST * 10) / 10)
        raise UsageError(
            f"at this rate it would take longer than the {Duration(LONGEST)} that a redrive of an org may take: "
            f"put back {least:g} letters a second or more"
        )
    job = Job(
        id=new_id(), who=by.name, org=ask.org, wanted=meant, rate=ask.rate, total=len(found), asked_at=now
    )  # fmt: skip
    return sources.jobs.start(job, [letter.position for letter in found], by.org)


def redrive_letter(ask: RedriveLetterAsk, sources: Sources, by: Viewer) -> Job:
    """Begin to put one letter back."""
    letter = letter_of(read_letter(find(sources, ask.partition, ask.offset)))
    if ask.org not in {None, letter.org}:
        raise Absent("there is nothing here")
    position: Position = (ask.partition, ask.offset)
    state = sources.letters.state(position)
    if state == "redriven":
        raise UsageError("this letter was redriven already; if its event failed again, that is a new dead letter")
    if state == "unknown" and sources.letters.memory.as_of is not None:
        raise UsageError(
            "the console does not know whether this letter was redriven, as it is older than those it remembers: "
            f"headrace dead redrive {ask.partition}/{ask.offset}"
        )
    job = Job(
        id=new_id(),
        who=by.name,
        org=letter.org,
        positions=[f"{ask.partition}/{ask.offset}"],
        rate=1.0,
        total=1,
        asked_at=sources.clock.wall(),
    )
    return sources.jobs.start(job, [position], by.org)


def cancel_job(ask: JobAsk, sources: Sources, by: Viewer) -> Job:
    """Let a job end before its next letters."""
    job = sources.jobs.get(ask.id)
    if job is None or ask.org not in {None, job.org}:
        raise Absent("there is nothing here")
    sources.jobs.cancel(job.id, f"cancelled by {by.name}")
    return sources.jobs.get(job.id) or job


def _to_job(ask: object, job: Job) -> str:  # noqa: ARG001  # the job knows where it is
    return link(JOB.path, {"id": job.id})


REDRIVE = Action(
    name="redrive",
    path="/jobs",
    title="Redrive",
    ask=RedriveAsk,
    answer=Job,
    do=redrive,
    audience="org",
    form="plan",
    back=_to_job,
    help="Put open dead letters back on the first retry tier, in the background.",
)
REDRIVE_LETTER = Action(
    name="redrive-letter",
    path="/dead/{partition}/{offset}/redrive",
    title="Redrive this letter",
    ask=RedriveLetterAsk,
    answer=Job,
    do=redrive_letter,
    audience="org",
    form="letter",
    back=_to_job,
    help="Put one dead letter back on the first retry tier.",
)
CANCEL = Action(
    name="cancel-job",
    path="/jobs/{id}/cancel",
    title="Cancel",
    ask=JobAsk,
    answer=Job,
    do=cancel_job,
    urgent=True,
    audience="org",
    form="job",
    back=_to_job,
    help="Let a job end before its next letters; what was put back stays so.",
)
