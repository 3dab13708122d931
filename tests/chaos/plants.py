"""Bugs that a run must catch, put into a worker process from the outside."""

import asyncio
from collections.abc import Callable, Mapping

from headrace.core.offsets import Progress
from headrace.core.runs import Chunk
from headrace.model.batch import Batch
from headrace.model.outcome import Answer
from headrace.sinks.http import HttpSink

_UNDER_WAY = 0.5
"""Seconds by which posts take longer, so that a worker that is killed has some under way."""


def commit_before_settle() -> None:
    """Take each polled chunk for settled, so that it is booked and committed while its events are still under way."""
    write = HttpSink.write

    def next_settled(self: Progress) -> Chunk | None:
        return self._chunks[0] if self._chunks else None

    async def write_late(self: HttpSink, batch: Batch) -> Answer:
        await asyncio.sleep(_UNDER_WAY)
        return await write(self, batch)

    Progress.next_settled = next_settled  # type: ignore[method-assign]
    HttpSink.write = write_late  # type: ignore[method-assign]


PLANTS: Mapping[str, Callable[[], None]] = {"commit_before_settle": commit_before_settle}
