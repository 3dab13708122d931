"""The sink of destinations of type `eventlog`: posts become transactions of the event log."""

import asyncio

from headrace.errors import StoreError
from headrace.eventlog.port import EventLog
from headrace.eventlog.retention import Expiring
from headrace.eventlog.writer import Writer
from headrace.model.batch import Batch
from headrace.model.outcome import AllDelivered, Answer, Busy, Delivered, Each, Rejected

CLOSE_TIMEOUT = 10.0
"""Seconds that closing waits for the last transaction."""


class EventLogSink:
    """A `Sink` that stores in *store*, which it then owns; a post waits *timeout* seconds at most.

    Each sink has its own thread that writes, so one per process is best. A store that cannot take events now is
    `Busy`: nothing is lost, and they come again. *expiring* begins with the first post, and ends with the sink.
    """

    def __init__(self, store: EventLog, timeout: float, expiring: Expiring | None = None) -> None:
        self._writer = Writer(store)
        self._timeout = timeout
        self._expiring = expiring

    async def write(self, batch: Batch) -> Answer:
        if self._expiring is not None:
            self._expiring.start()
        try:
            job = self._writer.submit(batch.values, batch.orgs)
        except StoreError as error:
            return Busy(str(error))
        try:
            async with asyncio.timeout(self._timeout):
                refused = await asyncio.wrap_future(job.done)
        except TimeoutError:
            return Busy(f"the event log did not answer within {self._timeout:g} s", timed_out=True)
        except StoreError as error:
            return Busy(str(error))
        finally:
            self._writer.abandon(job)
        if not refused:
            return AllDelivered()
        return Each(tuple(Rejected(refused[at]) if at in refused else Delivered() for at in range(len(batch.values))))

    async def aclose(self) -> None:
        await asyncio.to_thread(self._writer.close, CLOSE_TIMEOUT)
        if self._expiring is not None:
            await asyncio.to_thread(self._expiring.close, CLOSE_TIMEOUT)
