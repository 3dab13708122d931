"""One thread that writes to an event log: all that wait for it share one transaction."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from headrace.errors import StoreError
from headrace.eventlog.port import EventLog

MOST = 5000
"""Events of one transaction, so that the first of them does not wait long for the last."""


class Job:
    """Events that somebody waits for; `done` tells by position why one can never be stored, or raises."""

    __slots__ = ("done", "orgs", "values")

    def __init__(self, values: Sequence[bytes], orgs: Sequence[str]) -> None:
        self.values = values
        self.orgs = orgs
        self.done: Future[Mapping[int, str]] = Future()


class Writer:
    """Owns *store* and the thread that writes to it, which starts with the first job."""

    def __init__(self, store: EventLog) -> None:
        self._store = store
        self._waiting: list[Job] = []
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def submit(self, values: Sequence[bytes], orgs: Sequence[str]) -> Job:
        """Queue events for the next transaction, and return at once."""
        job = Job(values, orgs)
        with self._changed:
            if self._is_closing:
                raise StoreError("the event log is closed")
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="eventlog-writer", daemon=True)
                self._thread.start()
            self._changed.notify()
        return job

    def abandon(self, job: Job) -> None:
        """Forget *job*, so that a store that hangs does not gather what nobody waits for any more."""
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)

    def close(self, timeout: float) -> None:
        """Write what waits, for *timeout* seconds at most, and release the store. A second call does nothing."""
        with self._changed:
            self._is_closing = True
            thread, self._thread = self._thread, None
            self._changed.notify()
        if thread is None:
            self._store.close()
        else:
            thread.join(timeout)

    def _run(self) -> None:
        while jobs := self._next():
            jobs = [job for job in jobs if job.done.set_running_or_notify_cancel()]
            try:
                self._write(jobs)
            except Exception as error:  # noqa: BLE001  whoever waits must hear of it, and the next jobs go on
                for job in jobs:
                    job.done.set_exception(error)
        self._store.close()

    def _next(self) -> list[Job]:
        """Wait for jobs and take them, `MOST` events at most unless the first alone has more; none means the end."""
        with self._changed:
            while not self._waiting and not self._is_closing:
                self._changed.wait()
            taken = events = 0
            for job in self._waiting:
                events += len(job.values)
                if taken and events > MOST:
                    break
                taken += 1
            jobs, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return jobs

    def _write(self, jobs: Sequence[Job]) -> None:
        values = [value for job in jobs for value in job.values]
        orgs = [org for job in jobs for org in job.orgs or [""] * len(job.values)]
        refused = self._store.upsert(values, orgs).refused
        start = 0
        for job in jobs:
            stop = start + len(job.values)
            job.done.set_result({at - start: why for at, why in refused.items() if start <= at < stop})
            start = stop
