"""Held sessions on the event loop: who is posted, who hops, who waits and who is put back, in virtual time."""

import asyncio
from collections.abc import Callable

from headrace.model.batch import Batch
from headrace.model.outcome import (
    AllDelivered,
    Answer,
    Busy,
    Delivered,
    Each,
    Misconfigured,
    Outcome,
    Rejected,
)
from headrace.model.record import Origin
from ordering import MAIN
from ordering_bench import FAILED, Bench, crm, log, play


def each(*outcomes: Outcome) -> Callable[[Batch], Answer]:
    return lambda _: Each(outcomes)


async def fail(bench: Bench, names: str) -> None:
    """Let new events be posted and fail, one by one of them."""
    bench.sink.answers = lambda batch: Each((FAILED,) * len(batch.ids))
    await bench.fresh(names)
    bench.sink.answers = lambda _: AllDelivered()


def test_a_session_whose_event_failed_is_held_and_the_others_flow_on() -> None:
    async def scenario(bench: Bench) -> None:
        bench.sink.answers = each(FAILED, Delivered())
        await bench.fresh("a1 b2")
        bench.sink.answers = each(Delivered())
        await bench.fresh("a3 b4")

    bench = play(scenario)

    assert bench.sink.posts == ["a1 b2", "b4"]
    assert bench.hops() == "a3"
    assert bench.held() == 1
    assert bench.dispatcher.weight == 0


def test_a_rejected_event_holds_nobody() -> None:
    async def scenario(bench: Bench) -> None:
        bench.sink.answers = each(Rejected("bad"), Delivered())
        await bench.fresh("a1 b2")
        await bench.fresh("a3 b4")

    bench = play(scenario)

    assert bench.sink.posts == ["a1 b2", "a3 b4"]
    assert bench.held() == 0


def test_what_waits_behind_a_post_that_fails_hops_with_it() -> None:
    async def scenario(bench: Bench) -> None:
        bench.sink.answers = None
        await bench.fresh("a1")
        await bench.fresh("a2 b3 a4")
        await bench.sink.answer("a1", Each((FAILED,)))

    bench = play(scenario)

    assert bench.sink.posts == ["a1", "b3"]
    assert bench.hops() == "a2 a4"


def test_a_held_session_drains_ahead_of_its_time_and_is_released() -> None:
    async def scenario(bench: Bench) -> None:
        await fail(bench, "a1")
        await bench.fresh("a3 a5")
        assert bench.dispatcher.draining == frozenset()
        await asyncio.sleep(5)
        await bench.due("a1", attempts=1)
        await asyncio.sleep(0.2)
        assert bench.dispatcher.draining == {0}
        assert bench.dispatcher.drains(0, "acme", crm, b"acme/a")
        await bench.due("a3 a5", due_in=3)
        await bench.fresh("a7")

    bench = play(scenario)

    assert bench.sink.posts == ["a1", "a1", "a3 a5", "a7"]
    assert bench.held() == 0
    assert not bench.dispatcher.drains(0, "acme", crm, b"acme/a")


def test_new_events_of_a_session_that_drains_wait_for_its_followers() -> None:
    async def scenario(bench: Bench) -> None:
        bench.restore("a1 a3")
        await bench.fresh("a5 b6")
        await bench.due("a3", due_in=3)
        await bench.due("a1", due_in=3)

    bench = play(scenario)

    assert bench.sink.posts == ["b6", "a1 a3 a5"]
    assert (bench.hops(), bench.put_back()) == ("", "")
    assert bench.held() == 0


def test_a_session_that_drains_no_more_lets_nobody_wait() -> None:
    """Its first event failed: those in the room go to its tier."""

    async def scenario(bench: Bench) -> None:
        bench.restore("a1 a3 a4 a5")
        bench.sink.answers = None
        await bench.due("a1")
        await bench.due("a4", due_in=3)
        await bench.fresh("a7")
        await bench.sink.answer("a1", Each((FAILED,)))

    bench = play(scenario)

    assert bench.sink.posts == ["a1"]
    assert bench.hops() == "a4 a7"
    assert bench.dispatcher.weight == 0


def test_when_the_poll_was_set_back_what_was_read_ahead_stays_on_its_tier() -> None:
    """And what is due, or new, hops behind it."""

    async def scenario(bench: Bench) -> None:
        bench.restore("a3 a5 a7")
        await bench.due("a5", due_in=3)
        await bench.due("a7")
        await bench.fresh("a9")
        bench.sink.answers = None
        await bench.fresh("a1")

    bench = play(scenario)

    assert bench.sink.posts == ["a1"]
    assert bench.put_back() == "a5"
    assert bench.hops() == "a7 a9"


def test_what_was_read_ahead_too_early_stays_on_its_tier() -> None:
    async def scenario(bench: Bench) -> None:
        bench.restore("a1", attempts=1)
        bench.restore("a3")
        await bench.due("a3", due_in=3)

    bench = play(scenario)

    assert bench.put_back() == "a3"
    assert bench.dispatcher.weight == 0


def test_what_is_due_behind_an_event_that_is_not_hops_to_its_tier() -> None:
    async def scenario(bench: Bench) -> None:
        bench.restore("a1", attempts=1)
        bench.restore("a3")
        await bench.due("a3")

    bench = play(scenario)

    assert bench.hops() == "a3"
    assert bench.sink.posts == []


def test_under_org_ordering_the_whole_org_is_held_and_no_other() -> None:
    async def scenario(bench: Bench) -> None:
        await fail(bench, "a1")
        await bench.fresh("b2")
        await bench.fresh("c3", org="ajax")

    bench = play(scenario, by_org=True, destination=log)

    assert bench.sink.posts == ["a1", "c3"]
    assert bench.hops() == "b2"


def test_beyond_the_allowance_the_lanes_partition_is_held_whole_and_released() -> None:
    async def scenario(bench: Bench) -> None:
        bench.order.allowance.left = 1
        await fail(bench, "a1 b2")
        await bench.fresh("c3")
        await bench.fresh("d4", partition=1)
        await asyncio.sleep(5)
        await bench.due("a1 b2", attempts=1)
        await bench.due("c3")
        await bench.fresh("e5")

    bench = play(scenario)

    assert bench.sink.posts == ["a1 b2", "d4", "a1 b2", "c3", "e5"]
    assert bench.hops() == "c3"
    assert (bench.held(), bench.order.allowance.left) == (0, 1)


def test_a_dead_event_lets_go_of_those_that_wait_for_it() -> None:
    """It was larger than its tier takes: no post says so, and nothing else wakes its lane."""

    async def scenario(bench: Bench) -> None:
        bench.restore("a1")
        await bench.fresh("a3")
        assert bench.sink.posts == []
        bench.dispatcher.bury("acme", crm, b"acme/a", Origin(MAIN, 0, 1))
        await asyncio.sleep(0.03)

    bench = play(scenario)

    assert bench.sink.posts == ["a3"]
    assert bench.held() == 0


def test_a_full_room_takes_nobody_elses_place() -> None:
    async def scenario(bench: Bench) -> None:
        bench.restore("a1")
        await bench.fresh("a3 a4")
        assert bench.dispatcher.holds_back
        await asyncio.sleep(1.2)
        assert not bench.dispatcher.holds_back
        await bench.fresh("a5 b6")
        await bench.due("a1 a3 a4", due_in=3)

    bench = play(scenario, lane_events=2)

    assert bench.sink.posts == ["b6", "a1 a3 a4 a5"]
    assert bench.hops() == "a3 a4"
    assert bench.hops("overflow") == ""


def test_what_overflows_is_not_overtaken_by_what_comes_later() -> None:
    async def scenario(bench: Bench) -> None:
        bench.sink.answers = None
        await bench.fresh("a1")
        await bench.fresh("b2 b3")
        await asyncio.sleep(1.2)
        await bench.fresh("a4 c5")
        await bench.sink.answer("a1", AllDelivered())
        bench.sink.answers = lambda _: AllDelivered()
        await bench.sink.answer("b2 b3", AllDelivered())
        await bench.fresh("a6 c7 d8")
        await bench.due("a4 c5", due_in=3)

    bench = play(scenario, lane_events=2)

    assert bench.hops("overflow") == "a4 c5"
    assert (bench.line("a"), bench.line("c")) == ("a1 a4 a6", "c5 c7")
    assert "d8" in bench.sink.posts
    assert bench.held() == 0


def test_a_lane_takes_what_one_poll_brings_and_holds_the_next_one_back() -> None:
    async def scenario(bench: Bench) -> None:
        bench.sink.answers = None
        bench.dispatcher.offer([bench.stage.fresh("a1 a2 a3"), bench.stage.fresh("a4 b5")])
        await asyncio.sleep(0.03)
        assert bench.dispatcher.holds_back
        bench.sink.answers = lambda _: AllDelivered()
        await bench.sink.answer("a1 a2", AllDelivered())
        assert not bench.dispatcher.holds_back

    bench = play(scenario, lane_events=2, batch_events=2)

    assert " ".join(bench.sink.posts) == "a1 a2 a3 a4 b5"


def test_while_a_destination_is_shut_early_events_stay_and_due_ones_hop() -> None:
    async def scenario(bench: Bench) -> None:
        bench.restore("a1 a3")
        bench.sink.answers = lambda _: Busy("429", retry_after=60.0)
        await bench.fresh("b2")
        assert not bench.dispatcher.drains(0, "acme", crm, b"acme/a")
        await bench.due("a3", due_in=3)
        await bench.due("a1")

    bench = play(scenario)

    assert bench.put_back() == "a3"
    assert bench.hops("parked") == "a1"


def test_a_probe_that_is_taken_back_is_followed_by_another() -> None:
    """It waited for an executor while an earlier post of its session failed. The destination must not stay shut."""

    async def scenario(bench: Bench) -> None:
        await bench.fresh("a0")
        bench.sink.answers = None
        await bench.fresh("a1")
        await bench.fresh("d2", partition=1)
        await bench.fresh("c3", org="ajax", partition=2)
        await bench.sink.answer("a1", Misconfigured("401"))
        assert bench.sink.posts[-1] == "c3"
        await bench.due("d4", partition=1)
        await bench.sink.answer("d2", Each((FAILED,)))
        bench.sink.answers = lambda _: AllDelivered()
        await bench.due("b5")

    bench = play(scenario, posts_in_flight=2)

    assert bench.hops() == "d4"
    assert bench.sink.posts == ["a0", "a1", "d2", "c3", "b5"]
