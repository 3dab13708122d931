"""A sink that keeps what it is given: for tests, held to the same contract as the real ones."""

import asyncio
from collections import deque

from headrace.model.batch import Batch
from headrace.model.outcome import AllDelivered, Answer, Busy, Delivered, Each


class MemorySink:
    """Answers as planned, and takes everything once nothing is planned.

    `batches` are all posts in their order, `stored` the values that were taken. While `open` is not set, posts wait,
    at most *timeout* seconds.
    """

    def __init__(self, *plan: Answer, timeout: float = 10.0) -> None:
        self.batches: list[Batch] = []
        self.stored: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()
        self._plan = deque(plan)
        self._timeout = timeout

    def plan(self, *answers: Answer) -> None:
        """Give *answers* to the next posts, one each."""
        self._plan.extend(answers)

    async def write(self, batch: Batch) -> Answer:
        self.batches.append(batch)
        try:
            await asyncio.wait_for(self.open.wait(), self._timeout)
        except TimeoutError:
            return Busy("no answer in time", timed_out=True)
        answer = self._plan.popleft() if self._plan else AllDelivered()
        match answer:
            case AllDelivered():
                self.stored += batch.values
            case Each(outcomes):
                told = zip(outcomes, batch.values, strict=True)
                self.stored += [value for outcome, value in told if isinstance(outcome, Delivered)]
        return answer

    async def aclose(self) -> None:
        """Nothing is held."""
