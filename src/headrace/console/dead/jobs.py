"""Jobs: what takes longer than a question, runs in a thread of its own, and can be cancelled.

They live as long as the console. What they did is in Kafka and in the trail, so that a console that dies in the middle
leaves nothing half-told.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Literal, Protocol
from uuid import uuid4

import msgspec

from headrace.console.dead.letters import Position, Wanted
from headrace.console.viewer import Busy, Greedy, Quota

State = Literal["waiting", "running", "done", "cancelled", "failed", "lost"]
"""Lost: the console ended meanwhile."""

AT_ONCE = Quota(most=4, each=1, reserve=1)
"""Jobs that run at the same time; more of them wait."""

OPEN = Quota(most=20, each=4, reserve=5)
"""Jobs that may wait or run."""

KEPT = 200
"""Jobs that are remembered after they ended."""

TIDY_EVERY = 60.0
"""Seconds between two looks for those that are too many."""

REASONS = 20
"""Different reasons that one job tells apart."""

GLANCE = 0.2
"""Seconds between two looks whether a job that waits was cancelled."""

ENDS_WITHIN = 3.0
"""Seconds that closing waits for jobs to end."""


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """Letters that stay where they are: *why*, how many, and one of them, `partition/offset`."""

    why: str
    count: int
    example: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One redrive of *total* letters, at most *rate* a second.

    *handled* of them are through: *redriven* as so many *records*, or *skipped*. *wanted* is what chose them, unless
    they were named: then *positions* are. *error* says why it failed, or ended early. Times are seconds since the
    epoch.
    """

    id: str
    who: str
    org: str | None
    state: State = "waiting"
    wanted: Wanted = Wanted()
    positions: Sequence[str] = ()
    rate: float
    total: int
    handled: int = 0
    redriven: int = 0
    records: int = 0
    skipped: int = 0
    reasons: Sequence[Skipped] = ()
    asked_at: float
    begun_at: float | None = None
    ended_at: float | None = None
    error: str = ""

    @property
    def is_open(self) -> bool:
        return self.state in {"waiting", "running"}


class Task(Protocol):
    """What a job is to whoever does it."""

    @property
    def job(self) -> Job: ...

    @property
    def cancelled(self) -> threading.Event:
        """Is set when the job is to end."""
        ...

    def tell(self, **changes: object) -> None:
        """Change what is said of the job."""
        ...


Run = Callable[[Task, Sequence[Position]], None]
"""Does a job, and says how it ended; must not raise."""


class Jobs:
    """All jobs of this console. Without *work_on* it has none and takes none."""

    def __init__(self, work_on: Run | None = None) -> None:
        self._work_on = work_on
        self._changing = threading.Lock()
        self._tasks: dict[str, _Task] = {}

    def start(self, job: Job, positions: Sequence[Position], org: str | None) -> Job:
        """Begin *job* for a viewer of *org* (None: an operator); raise `Busy`, or `Greedy`, when there are too many."""
        with self._changing:
            if self._work_on is None:
                raise Busy("this console takes no redrives now; it is ending")
            refusal = OPEN.refusal([task.org for task in self._tasks.values() if task.job.is_open], org)
            if refusal == "share":
                raise Greedy(f"{OPEN.each} redrives of your org are waiting or running; cancel one, or wait for one")
            if refusal is not None:
                raise Busy("as many redrives as there may be are waiting or running; cancel one, or wait for one")
            task = self._tasks[job.id] = _Task(job, self._changing, org)
        task.thread = threading.Thread(
            target=self._work, args=(self._work_on, task, positions), name="headrace-console-job", daemon=True
        )
        task.thread.start()
        return job

    def all(self) -> list[Job]:
        """Return every job, the last asked for first."""
        with self._changing:
            return [task.job for task in reversed(self._tasks.values())]

    def get(self, id_: str) -> Job | None:
        with self._changing:
            task = self._tasks.get(id_)
        return task.job if task else None

    def cancel(self, id_: str, why: str) -> None:
        """Let a job end before its next letters; one that ended already stays as it is."""
        task = self._tasks.get(id_)
        if task is not None and task.job.is_open:
            task.tell(error=why)
            task.cancelled.set()

    def tidy(self) -> None:
        """Forget the oldest that ended."""
        with self._changing:
            for old in [each for each, task in self._tasks.items() if not task.job.is_open][:-KEPT]:
                del self._tasks[old]

    def close(self) -> None:
        """Take no more jobs, cancel what runs, and wait a little for it."""
        self._work_on = None
        for task in list(self._tasks.values()):
            self.cancel(task.job.id, "the console ended")
        for task in list(self._tasks.values()):
            if task.thread is not None:
                task.thread.join(ENDS_WITHIN)

    def _work(self, run: Run, task: "_Task", positions: Sequence[Position]) -> None:
        while not self._takes_place(task):
            if task.cancelled.wait(GLANCE):
                break
        try:
            run(task, positions)
        finally:
            task.has_place = False

    def _takes_place(self, task: "_Task") -> bool:
        with self._changing:
            taken = [each.org for each in self._tasks.values() if each.has_place]
            task.has_place = AT_ONCE.refusal(taken, task.org) is None
        return task.has_place


class _Task:
    """A `Task`, asked for by a viewer of *org*; *has_place* while it runs."""

    def __init__(self, job: Job, changing: threading.Lock, org: str | None) -> None:
        self.job = job
        self.org = org
        self.has_place = False
        self.cancelled = threading.Event()
        self.thread: threading.Thread | None = None
        self._changing = changing

    def tell(self, **changes: object) -> None:
        with self._changing:
            self.job = msgspec.structs.replace(self.job, **changes)


def new_id() -> str:
    """Return a name that no job has had."""
    return uuid4().hex[:12]


def with_skipped(reasons: Sequence[Skipped], why: str, position: str) -> Sequence[Skipped]:
    """Count one more letter that was skipped."""
    for place, each in enumerate(reasons):
        if each.why == why or (place == REASONS - 1 and each.why == "other reasons"):
            return (*reasons[:place], msgspec.structs.replace(each, count=each.count + 1), *reasons[place + 1 :])
    named = why if len(reasons) < REASONS - 1 else "other reasons"
    return (*reasons, Skipped(why=named, count=1, example=position))
