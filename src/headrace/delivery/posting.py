"""One batch through a sink, halved where the destination asks for it, until every event has an outcome."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from headrace.clock import Clock
from headrace.core.pacing import Pace
from headrace.model.batch import Batch
from headrace.model.destination import Destination
from headrace.model.outcome import (
    AllDelivered,
    Answer,
    Busy,
    Delivered,
    Each,
    Misconfigured,
    Outcome,
    Refused,
    Rejected,
    Retryable,
    TooLarge,
)
from headrace.sinks.port import Sink

DELIVERED = Delivered()

ReportPost = Callable[[range, Answer, float], None]
"""Called after each post with which of the events were sent, what it came to and how many seconds it took."""


Lines = Callable[[], Sequence[object]]
"""Says of each event of a batch whose order it is kept in; asked only once a batch was halved."""

HELD = Retryable("an earlier event of the session was not taken")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch came to. *outcomes* and *posts* (how often each event was sent) run parallel to its events.

    *outcomes* None means that all were delivered. *failure* is the answer that ended it when nothing was taken.
    """

    outcomes: list[Outcome] | None
    posts: list[int]
    failure: Busy | Misconfigured | None = None


class Posting:
    """One batch on its way; `carry` is run once. *lines* is None where order does not matter."""

    def __init__(
        self,
        sink: Sink,
        destination: Destination,
        org: str,
        pace: Pace,
        clock: Clock,
        report: ReportPost,
        lines: Lines | None = None,
    ) -> None:
        self._sink = sink
        self._destination = destination
        self._org = org
        self._pace = pace
        self._clock = clock
        self._report = report
        self._lines = lines
        self._is_under_way = False
        self._is_cut = False

    def cut(self, task: "asyncio.Task[None]") -> None:
        """End the post that *task* carries as if it had timed out: hanging destinations hold more than their share.

        Nothing happens while none is under way: a task that is cancelled before its first step never runs at all.
        """
        if self._is_under_way:
            self._is_cut = True
            task.cancel()

    async def carry(self, ids: list[str], values: list[bytes], orgs: list[str]) -> Verdict:
        """Post the events until each has an outcome. A destination that fails midway fails the rest without a post.

        *orgs* says whose each event is where all orgs share the destination, and is empty elsewhere.
        """
        outcomes: list[Outcome | None] = [None] * len(ids)
        posts = [0] * len(ids)
        waiting = [range(len(ids))]
        while waiting:
            part = waiting.pop()
            within = slice(part.start, part.stop)
            answer = await self._post(part, ids[within], values[within], orgs[within])
            for index in part:
                posts[index] += 1
            if isinstance(answer, AllDelivered) and len(part) == len(ids):
                return Verdict(outcomes=None, posts=posts)
            if isinstance(answer, Refused) and len(part) == 1 and self._pace.refuse():
                answer = Misconfigured(f"every single event was refused: {answer.reason}")
            if isinstance(answer, Busy | Misconfigured):
                is_total = not any(isinstance(outcome, Delivered | Rejected) for outcome in outcomes)
                settled = [outcome or Retryable(answer.reason) for outcome in outcomes]
                return Verdict(outcomes=settled, posts=posts, failure=answer if is_total or _is_wrong(answer) else None)
            waiting += self._settle(part, answer, outcomes)
            if self._lines is not None and waiting and isinstance(answer, Each):
                waiting = _leave_out(waiting, outcomes, self._lines())
        return Verdict(outcomes=[outcome or DELIVERED for outcome in outcomes], posts=posts)

    def _settle(self, part: range, answer: Answer, outcomes: list[Outcome | None]) -> list[range]:
        """Write down what *answer* says of *part*, and return the halves that are to be sent again, the first last."""
        match answer:
            case AllDelivered():
                self._pace.refusals = 0
                outcomes[part.start : part.stop] = [DELIVERED] * len(part)
            case Each(each):
                outcomes[part.start : part.stop] = each
            case TooLarge(reason) | Refused(reason) if len(part) == 1:
                outcomes[part.start] = Rejected(reason)
            case TooLarge() | Refused():
                middle = part.start + (len(part) + 1) // 2
                return [range(middle, part.stop), range(part.start, middle)]
        return []

    async def _post(self, part: range, ids: list[str], values: list[bytes], orgs: list[str]) -> Answer:
        batch = Batch(destination=self._destination, org=self._org, ids=ids, values=values, orgs=orgs)
        started = self._clock.monotonic()
        answer = await self._write(batch)
        if isinstance(answer, Each) and len(answer.outcomes) != len(batch):
            answer = Busy(f"the sink gave {len(answer.outcomes)} outcomes for {len(batch)} events")
        self._report(part, answer, self._clock.monotonic() - started)
        return answer

    async def _write(self, batch: Batch) -> Answer:
        self._is_under_way = True
        try:
            return await self._sink.write(batch)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._is_cut or task is None:
                raise
            task.uncancel()
            self._is_cut = False
            return Busy("no answer yet, and hanging destinations hold their share of the executors", timed_out=True)
        except Exception as error:  # noqa: BLE001  # somebody else's sink may raise anything: nothing is known then
            return Busy(f"{type(error).__name__}: {error}")
        finally:
            self._is_under_way = False


def _leave_out(waiting: Sequence[range], outcomes: list[Outcome | None], lines: Sequence[object]) -> list[range]:
    """Return those parts, the first last, that can be posted though some events before them were not taken."""
    held = {lines[index] for index, outcome in enumerate(outcomes) if isinstance(outcome, Retryable)}
    left: list[range] = []
    for part in reversed(waiting):
        own = {lines[index] for index in part}
        if own.isdisjoint(held):
            left.append(part)
        else:
            outcomes[part.start : part.stop] = [HELD] * len(part)
            held |= own
    return left[::-1]


def _is_wrong(answer: Answer) -> bool:
    return isinstance(answer, Misconfigured) or (isinstance(answer, Busy) and answer.retry_after is not None)
