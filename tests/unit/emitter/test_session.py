import asyncio
from threading import Thread
from typing import Any

import pytest

import headrace
from headrace.errors import UsageError
from headrace.model.taxonomy import TAXONOMY, IntentDetected
from headrace.wire.envelope import Envelope, org_of, read


def test_an_event_says_whose_it_is(outlet: Any) -> None:
    outlet.log().emit("custom.thing", answer=42)

    [event] = outlet.events
    assert (event["source"], event["subject"], event["data"]) == ("/orgs/o/bots/b", "s", {"answer": 42})
    assert outlet.keys == [b"o/s"]


def test_what_is_emitted_passes_the_check_of_the_worker(outlet: Any) -> None:
    outlet.log().emit("custom.thing")

    envelope = read(outlet.values[0])
    assert isinstance(envelope, Envelope)
    assert org_of(b"o/s", envelope.source) == "o"


def test_seq_counts_what_was_not_taken_too(outlet: Any) -> None:
    """A drop leaves a gap, by which it can be seen at the other end."""
    log = outlet.log(seq=7)

    assert log.emit("a")
    outlet.takes = False
    assert not log.emit("b")
    outlet.takes = True
    assert log.emit("c")

    assert [event["seq"] for event in outlet.events] == [7, 9]


def test_data_may_have_any_name(outlet: Any) -> None:
    """Even those of `emit`'s own parameters."""
    outlet.log().emit("t", type="x", self="y", data="z")

    assert outlet.events[0]["data"] == {"type": "x", "self": "y", "data": "z"}


def test_what_the_session_carries_goes_with_every_event(outlet: Any) -> None:
    log = outlet.log(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", channel="web")

    log.emit("t", channel="phone", more=1)
    log.emit("t")

    assert [event["data"] for event in outlet.events] == [{"channel": "phone", "more": 1}, {"channel": "web"}]
    assert {event["traceparent"] for event in outlet.events} == {
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    }


def test_a_value_of_the_taxonomy_is_emitted_by_its_type(outlet: Any) -> None:
    outlet.log().emit(IntentDetected(intent="order_status", confidence=0.93))

    assert outlet.types == ["bot.intent.detected"]
    assert outlet.events[0]["data"] == {"intent": "order_status", "confidence": 0.93}


@pytest.mark.parametrize(
    ("org", "bot", "session"),
    [
        ("", "b", "s"),
        ("-org", "b", "s"),
        ("o/x", "b", "s"),
        ("o" * 65, "b", "s"),
        (None, "b", "s"),
        ("o", "", "s"),
        ("o", "b/c", "s"),
        ("o", "b", ""),
        ("o", "b", 42),
        ("o", "b", "s" * 513),
        ("o", "b", "\ud800"),
    ],
)
def test_a_name_that_is_none_is_refused_when_the_session_opens(outlet: Any, org: Any, bot: Any, session: Any) -> None:
    from headrace.emitter.session import SessionLog  # noqa: PLC0415

    with pytest.raises(UsageError):
        SessionLog(outlet, org=org, bot=bot, session=session, seq=0, traceparent=None, data={})


def test_code_deep_inside_finds_the_session(outlet: Any) -> None:
    assert headrace.current() is None
    assert not headrace.emit("nobody.hears")

    with outlet.log() as outer:
        assert headrace.current() is outer
        with outlet.log(channel="inner") as inner:
            assert headrace.current() is inner
            assert headrace.emit("t")
        assert headrace.current() is outer

    assert headrace.current() is None
    assert [event["data"] for event in outlet.events] == [{"channel": "inner"}]


def test_tasks_have_each_their_own_session(outlet: Any) -> None:
    async def conversation(name: str) -> None:
        with outlet.log(name=name):
            await asyncio.sleep(0)
            headrace.emit(name)

    async def many() -> None:
        await asyncio.gather(*(conversation(f"c{number}") for number in range(5)))

    asyncio.run(many())

    assert [(event["type"], event["data"]["name"]) for event in outlet.events] == [(f"c{n}", f"c{n}") for n in range(5)]


def test_threads_of_one_session_never_share_a_seq(outlet: Any) -> None:
    log = outlet.log()
    threads = [Thread(target=lambda: [log.emit("t") for _ in range(200)]) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(event["seq"] for event in outlet.events) == list(range(800))


def test_a_turn_numbers_what_happens_inside(outlet: Any) -> None:
    log = outlet.log()
    with log.turn(input="text"):
        log.emit("t")
    with log.turn() as number:
        assert number == 2
    log.emit("outside")

    assert [(event["type"], event["data"].get("turn")) for event in outlet.events] == [
        ("bot.turn.started", 1),
        ("t", 1),
        ("bot.turn.ended", 1),
        ("bot.turn.started", 2),
        ("bot.turn.ended", 2),
        ("outside", None),
    ]


def test_an_exception_of_the_bots_logic_is_told_and_goes_on(outlet: Any) -> None:
    log = outlet.log()

    with pytest.raises(ZeroDivisionError), log.turn():
        1 / 0  # noqa: B018

    assert outlet.types == ["bot.turn.started", "bot.exception.raised", "bot.turn.ended"]
    error = outlet.events[1]["data"]["error"]
    assert (error["origin"], error["type"], error["message"]) == ("bot_logic", "ZeroDivisionError", "division by zero")
    assert "1 / 0" in error["stack"]


def test_an_exception_of_an_action_is_told_once(outlet: Any) -> None:
    log = outlet.log()

    with pytest.raises(ZeroDivisionError), log.turn(), log.action("Divide"):
        1 / 0  # noqa: B018

    assert outlet.types == ["bot.turn.started", "bot.action.invoked", "bot.action.failed", "bot.turn.ended"]


def test_beginning_and_end_are_told_when_asked(outlet: Any) -> None:
    with outlet.log() as log:
        log.started(channel="web")
        log.ended("user", turns=3)

    assert [(event["type"], event["data"]) for event in outlet.events] == [
        ("bot.session.started", {"channel": "web"}),
        ("bot.session.ended", {"reason": "user", "turns": 3}),
    ]


def test_every_type_has_its_meaning_in_words() -> None:
    assert len(TAXONOMY) == 19
    assert all(name.startswith("bot.") and kind.__doc__ for name, kind in TAXONOMY.items())
