"""Halving, refusals, and what a failure midway means."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.pacing import REFUSALS_TO_PARK, Pace
from headrace.delivery.posting import Posting, Verdict
from headrace.model.batch import Batch
from headrace.model.destination import Destination
from headrace.model.outcome import (
    AllDelivered,
    Answer,
    Busy,
    Delivered,
    Each,
    Misconfigured,
    Refused,
    Rejected,
    Retryable,
    TooLarge,
)
from headrace.testing.clock import FakeClock

crm = Destination(name="crm", type="memory", settings=msgspec.Struct())


class RuleSink:
    """Answers by a rule over the events' ids, and counts posts."""

    def __init__(self, rule: Callable[[Batch], Answer]) -> None:
        self.rule = rule
        self.posts: list[list[str]] = []

    async def write(self, batch: Batch) -> Answer:
        self.posts.append(list(batch.ids))
        return self.rule(batch)

    async def aclose(self) -> None:
        """Nothing is held."""


def carry(sink: RuleSink, events: int, pace: Pace | None = None) -> Verdict:
    posting = Posting(sink, crm, "acme", pace or Pace(500), FakeClock(), lambda part, answer, took: None)
    return asyncio.run(posting.carry([str(n) for n in range(events)], [b"{}"] * events, []))


def refuses(*bad: str) -> RuleSink:
    return RuleSink(lambda batch: Refused("400") if set(batch.ids) & set(bad) else AllDelivered())


def test_one_post_when_all_is_delivered() -> None:
    verdict = carry(refuses(), 100)

    assert verdict == Verdict(outcomes=None, posts=[1] * 100)


@given(st.integers(1, 70), st.sets(st.integers(0, 69)))
def test_halving_rejects_the_bad_events_and_delivers_the_others(events: int, bad: set[int]) -> None:
    sink = refuses(*map(str, bad))

    verdict = carry(sink, events)

    outcomes = verdict.outcomes or [Delivered()] * events
    assert [isinstance(one, Rejected) for one in outcomes] == [n in bad for n in range(events)]
    assert verdict.posts == [sum(str(n) in post for post in sink.posts) for n in range(events)]


def test_one_bad_event_costs_few_posts() -> None:
    sink = refuses("317")
    carry(sink, 500)

    assert len(sink.posts) <= 2 * 9 + 1


def test_halves_go_in_order() -> None:
    sink = RuleSink(lambda batch: TooLarge("413") if len(batch) > 2 else AllDelivered())
    carry(sink, 7)

    taken = [event for post in sink.posts if len(post) <= 2 for event in post]
    assert taken == [str(n) for n in range(7)]


def test_a_single_event_that_is_too_large_is_rejected() -> None:
    verdict = carry(RuleSink(lambda batch: TooLarge("413")), 1)

    assert verdict.outcomes == [Rejected("413")]


def test_outcomes_of_single_events_are_kept_in_order() -> None:
    each = (Delivered(), Retryable("locked"), Rejected("no such field"))

    verdict = carry(RuleSink(lambda batch: Each(each)), 3)

    assert verdict.outcomes == list(each)
    assert verdict.failure is None


@pytest.mark.parametrize("failure", [Busy("503"), Misconfigured("401")])
def test_a_failed_post_makes_every_event_retryable(failure: Busy | Misconfigured) -> None:
    verdict = carry(RuleSink(lambda batch: failure), 3)

    assert verdict.outcomes == [Retryable(failure.reason)] * 3
    assert verdict.failure == failure


def test_a_failure_midway_spares_the_rest_a_post_and_keeps_what_was_taken() -> None:
    def rule(batch: Batch) -> Answer:
        if len(batch) == 8:
            return TooLarge("413")
        return AllDelivered() if "0" in batch.ids else Busy("503")

    sink = RuleSink(rule)
    verdict = carry(sink, 8)

    assert verdict.outcomes == [Delivered()] * 4 + [Retryable("503")] * 4
    assert verdict.failure is None
    assert len(sink.posts) == 3


def test_a_destination_that_refuses_everything_is_wrong_after_a_thousand() -> None:
    pace = Pace(500)
    sink = RuleSink(lambda batch: Refused("400"))
    rejected = 0
    verdict = None
    for _ in range(3):
        verdict = carry(sink, 400, pace)
        rejected += sum(isinstance(one, Rejected) for one in verdict.outcomes or ())

    assert verdict is not None
    assert isinstance(verdict.failure, Misconfigured)
    assert rejected == REFUSALS_TO_PARK - 1


def test_a_sink_that_raises_or_miscounts_loses_nothing() -> None:
    def explode(batch: Batch) -> Answer:
        raise RuntimeError("a bug of a third party")

    raised = carry(RuleSink(explode), 2)
    miscounted = carry(RuleSink(lambda batch: Each((Delivered(),))), 2)

    assert raised.failure == Busy("RuntimeError: a bug of a third party")
    assert miscounted.outcomes == [Retryable("the sink gave 1 outcomes for 2 events")] * 2


def test_a_post_that_is_cut_counts_as_timed_out() -> None:
    class Hanging(RuleSink):
        async def write(self, batch: Batch) -> Answer:
            await asyncio.Event().wait()
            return AllDelivered()

    async def main() -> Verdict:
        sink = Hanging(lambda batch: AllDelivered())
        posting = Posting(sink, crm, "acme", Pace(500), FakeClock(), lambda part, answer, took: None)
        verdicts: list[Verdict] = []

        async def carry() -> None:
            verdicts.append(await posting.carry(["1"], [b"{}"], []))

        task = asyncio.get_running_loop().create_task(carry())
        await asyncio.sleep(0)
        posting.cut(task)
        await task
        return verdicts[0]

    failure = asyncio.run(main()).failure

    assert isinstance(failure, Busy)
    assert failure.timed_out


def test_a_post_that_has_not_begun_is_not_cut() -> None:
    """A task that is cancelled before its first step never runs, so its events would never be settled."""

    async def main() -> Verdict:
        posting = Posting(
            RuleSink(lambda batch: AllDelivered()),
            crm,
            "acme",
            Pace(500),
            FakeClock(),
            lambda part, answer, took: None,
        )
        verdicts: list[Verdict] = []

        async def carry() -> None:
            verdicts.append(await posting.carry(["1"], [b"{}"], []))

        task = asyncio.get_running_loop().create_task(carry())
        posting.cut(task)
        await task
        return verdicts[0]

    assert asyncio.run(main()).outcomes is None


@pytest.mark.parametrize(("lines", "last"), [("abcdbaee", ["2", "3"]), ("abbccdee", ["0", "1"])])
def test_a_half_is_not_sent_behind_an_event_that_was_not_taken(lines: str, last: list[str]) -> None:
    """Where order matters: what shares a half with one of its session is held too, and the rest is sent."""

    def rule(batch: Batch) -> Answer:
        if len(batch) > 2:
            return Refused("400")
        return Each((Delivered(), Retryable("locked"))) if batch.ids == ["0", "1"] else AllDelivered()

    sink = RuleSink(rule)
    posting = Posting(sink, crm, "acme", Pace(500), FakeClock(), lambda part, answer, took: None, lambda: lines)
    verdict = asyncio.run(posting.carry([str(n) for n in range(8)], [b"{}"] * 8, []))

    assert sink.posts[-1] == last
    assert verdict.outcomes is not None
    taken = [str(place) for place, one in enumerate(verdict.outcomes) if isinstance(one, Delivered)]
    assert taken == sorted({"0", *last} - {"1"})
    assert verdict.posts[4:] == [1, 1, 1, 1]
