"""Jobs: the redrives that people started, and how far they are."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.dead.jobs import Job, Skipped, State
from headrace.console.dead.letters import Wanted
from headrace.console.dead.redriving import DEED
from headrace.console.fields import Limit, Org
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.viewer import Absent
from headrace.eventlog.trail import Deed, DeedQuery

Id = Annotated[str, Meta(max_length=64, description="The job's name.")]


class JobsAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs."""

    org: Org | None = None
    limit: Limit = 50


class JobsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs, the last asked for first: those of this console since it began, and before them what the trail tells
    of others. Of one that is `lost` the console ended while it ran: it was broken off, and *handled* is how far it
    had come within a few seconds. *log_trouble* says why those that the trail tells of are missing.
    """

    rows: Sequence[Job]
    log_trouble: str = ""


class JobAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which job."""

    id: Id
    org: Org | None = None


class JobAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A job; *per_second* is how many letters it put through, *left* how many seconds it takes from now on."""

    job: Job
    per_second: float | None = None
    left: float | None = None
    log_trouble: str = ""


def read_jobs(ask: JobsAsk, sources: Sources) -> JobsAnswer:
    """Return the jobs that may be seen: an org's viewers see those for their letters alone."""
    rows = [job for job in sources.jobs.all() if ask.org in {None, job.org}]
    known = {job.id for job in rows}
    told = sources.log.deeds(DeedQuery(org=ask.org, action=DEED, limit=ask.limit)).rows
    rows += [_as_told(deed) for deed in told if deed.target not in known]
    return JobsAnswer(rows=sorted(rows, key=lambda job: -job.asked_at)[: ask.limit])


def read_job(ask: JobAsk, sources: Sources) -> JobAnswer:
    """Return a job; one of a console that ended is told from the trail."""
    job = sources.jobs.get(ask.id) or _told(ask, sources)
    if job is None or ask.org not in {None, job.org}:
        raise Absent("there is nothing here")
    per_second = left = None
    if job.begun_at is not None and job.handled:
        # A second's letters go at its beginning: what is handled is never ahead of the rate.
        taken = (job.ended_at or sources.clock.wall()) - job.begun_at
        per_second = min(job.rate, job.handled / taken) if taken > 0 else job.rate
    if job.state == "running":
        left = (job.total - job.handled) / (per_second or job.rate)
    return JobAnswer(job=job, per_second=per_second, left=left)


def _told(ask: JobAsk, sources: Sources) -> Job | None:
    deeds = sources.log.deeds(DeedQuery(org=ask.org, action=DEED, target=ask.id, limit=1)).rows
    return _as_told(deeds[0]) if deeds else None


class _Detail(msgspec.Struct):
    total: int = 0
    rate: float = 1.0
    positions: Sequence[str] = ()
    wanted: Wanted = Wanted()


class _Outcome(msgspec.Struct):
    state: State = "lost"
    redriven: int = 0
    records: int = 0
    skipped: int = 0
    reasons: Sequence[Skipped] = ()
    error: str = "the console ended while it ran; Kafka knows what was put back, so plan it again for the rest"


def _as_told(deed: Deed) -> Job:
    try:
        detail = msgspec.json.decode(deed.detail, type=_Detail)
        outcome = msgspec.json.decode(deed.answer or "{}", type=_Outcome)
    except msgspec.DecodeError:
        detail, outcome = _Detail(), _Outcome()
    if deed.result == "asked":
        outcome.state, outcome.error = "lost", _Outcome().error
    return Job(
        id=deed.target,
        who=deed.who,
        org=deed.org or None,
        asked_at=deed.at,
        handled=outcome.redriven + outcome.skipped,
        **msgspec.structs.asdict(detail),
        **msgspec.structs.asdict(outcome),
    )


JOBS = View(
    name="jobs",
    path="/jobs",
    title="Jobs",
    ask=JobsAsk,
    answer=JobsAnswer,
    read=read_jobs,
    outlives_log=True,
    group="Trouble",
    help="Redrives that people started, and how far they are.",
)
JOB = View(
    name="job",
    path="/jobs/{id}",
    title="Job",
    ask=JobAsk,
    answer=JobAnswer,
    read=read_job,
    outlives_log=True,
    help="One redrive: how far it is, and what it skipped.",
)
