"""Order on the event loop where assignments end, polls are set back, and copies of events were left."""

import asyncio

from headrace.delivery.ordered_dispatcher import SILENCE
from headrace.model.outcome import (
    AllDelivered,
    Delivered,
    Each,
    Misconfigured,
    Refused,
)
from headrace.model.record import Origin
from ordering import MAIN
from ordering_bench import FAILED, SCHEDULE, Bench, crm, play


def test_a_silent_owner_stops_the_posts_until_it_is_heard_again() -> None:
    async def scenario(bench: Bench) -> None:
        bench.is_heard = False
        await asyncio.sleep(SILENCE + 0.2)
        await bench.fresh("a1")
        assert bench.sink.posts == []
        bench.is_heard = True
        await asyncio.sleep(0.3)

    assert play(scenario).sink.posts == ["a1"]


def test_what_is_held_of_a_partition_goes_with_it() -> None:
    async def scenario(bench: Bench) -> None:
        bench.restore("a1")
        await bench.fresh("a3")
        assert bench.dispatcher.weight > 0
        bench.stage.leave()
        bench.dispatcher.forget([0])

    bench = play(scenario)

    assert bench.held() == 0
    assert bench.dispatcher.weight == 0
    assert len(bench.outbox) == 0


def test_a_post_of_an_earlier_assignment_holds_nobody_of_the_next_one() -> None:
    """The partition went away and came back while it was under way: its end says nothing any more."""

    async def scenario(bench: Bench) -> None:
        bench.sink.answers = None
        await bench.fresh("a5")
        bench.stage.leave()
        bench.dispatcher.forget([0])
        await bench.fresh("a6")
        await asyncio.sleep(1.2)
        await bench.fresh("a7")
        assert bench.hops("overflow") == "a7"
        bench.sink.answers = lambda _: AllDelivered()
        await bench.sink.answer("a5", AllDelivered())
        await bench.due("a7", due_in=3)

    bench = play(scenario, lane_events=1)

    assert bench.sink.posts == ["a5", "a6", "a7"]
    assert bench.held() == 0


def test_a_batch_that_is_halved_leaves_out_what_is_behind_an_event_that_was_not_taken() -> None:
    async def scenario(bench: Bench) -> None:
        bench.sink.answers = None
        await bench.fresh("a1 b2 c3 d4 a5 b6 e7 f8")
        await bench.sink.answer("a1 b2 c3 d4 a5 b6 e7 f8", Refused("400"))
        await bench.sink.answer("a1 b2 c3 d4", Each((Delivered(), FAILED, Delivered(), Delivered())))

    bench = play(scenario)

    assert bench.sink.posts == ["a1 b2 c3 d4 a5 b6 e7 f8", "a1 b2 c3 d4"]
    assert bench.held() == 4


def test_copies_of_one_event_in_one_post_may_end_differently() -> None:
    """A crash left them; one of them was taken, so nobody is behind the other."""

    async def scenario(bench: Bench) -> None:
        bench.restore("a1")
        bench.sink.answers = None
        bench.dispatcher.offer([bench.stage.due("a1"), bench.stage.due("a1", attempts=1)])
        await asyncio.sleep(0.03)
        await bench.fresh("a3")
        bench.sink.answers = lambda _: AllDelivered()
        await bench.sink.answer("a1 a1", Each((FAILED, Delivered())))
        await bench.due("a3", due_in=3)

    bench = play(scenario)

    assert bench.line("a") == "a1 a1 a3"
    assert bench.held() == 0


def test_those_behind_an_event_that_is_given_up_are_released() -> None:
    async def scenario(bench: Bench) -> None:
        bench.restore("a1 a2")
        bench.dispatcher.offer([bench.stage.due("a2", since=SCHEDULE.give_up_after)])
        await bench.fresh("a3")
        bench.dispatcher.bury("acme", crm, b"acme/a", Origin(MAIN, 0, 9))
        bench.sink.answers = None
        await bench.fresh("a0")
        bench.sink.answers = lambda _: AllDelivered()
        await bench.sink.answer("a0", AllDelivered())
        await bench.due("a1", since=SCHEDULE.give_up_after)
        await bench.due("a3", due_in=3)

    bench = play(scenario)

    assert bench.line("a") == "a0 a1 a3"
    assert bench.held() == 0


def test_nobody_is_let_in_before_events_that_hop_with_one_that_is_given_up() -> None:
    """A probe takes the first of many; among the others, that hop again, one has had its time."""

    async def scenario(bench: Bench) -> None:
        bench.restore("a1 a2 a3 a4")
        bench.sink.answers = lambda _: Misconfigured("401")
        await bench.fresh("b9")
        bench.sink.answers = lambda _: AllDelivered()
        bench.dispatcher._lanes["acme", "crm"].pace.probe_events = 1
        await bench.due("a4")
        await bench.due("a1 a2 a3", since=[0, SCHEDULE.give_up_after, 0])

    bench = play(scenario)

    assert bench.line("a") == "a1"
    assert bench.hops("parked") == "a2 a3 a4"


def test_what_was_polled_anew_goes_before_its_followers_on_tiers() -> None:
    """A crash set the poll back: an event comes from the main topic and stands on a tier too."""

    async def scenario(bench: Bench) -> None:
        bench.restore("a1 a2")
        bench.sink.answers = None
        await bench.fresh("z0")
        await bench.fresh("a1")
        await bench.due("a2", due_in=3)
        bench.sink.answers = lambda _: AllDelivered()
        await bench.sink.answer("z0", AllDelivered())

    bench = play(scenario)

    assert bench.line("a") == "a1 a2"


def test_what_waits_in_the_room_goes_before_what_is_on_a_tier_behind_it() -> None:
    """The poll was set back, and an event between two on tiers is new."""

    async def scenario(bench: Bench) -> None:
        bench.restore("a1 a4")
        await bench.fresh("a1 a2 a3")
        await bench.due("a4", due_in=3)
        await bench.due("a4", due_in=2)

    bench = play(scenario)

    assert bench.line("a") == "a1 a2 a3 a4"
    assert bench.held() == 0


def test_draining_leaves_nobody_waiting_for_what_will_not_come() -> None:
    async def scenario(bench: Bench) -> None:
        bench.restore("a1")
        await bench.fresh("a3 b4")
        bench.dispatcher.drain()
        assert bench.hops() == "a3"
        await bench.fresh("a5 b6")
        await bench.due("a1", due_in=3)

    bench = play(scenario)

    assert " ".join(bench.sink.posts) == "b4 b6"
    assert bench.hops() == "a3 a5"
    assert bench.put_back() == "a1"
    assert bench.dispatcher.weight == 0
