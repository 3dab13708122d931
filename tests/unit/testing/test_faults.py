import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.testing.faults import (
    Arrival,
    Cut,
    FaultPlan,
    HalfJson,
    Hang,
    Match,
    Phase,
    Refuses,
    Results,
    Slow,
    Status,
    TooLargeAbove,
    always,
)

EVENT = Arrival(id="a", source="/orgs/acme/bots/b", type="bot.turn")


def test_a_plan_has_its_faults_in_their_time_only() -> None:
    busy, hang = Status(status=503), Hang()
    plan = FaultPlan((Phase(fault=busy, start=1, stop=2), Phase(fault=hang, start=5)))

    assert [plan.at(seconds) for seconds in (0.9, 1.0, 1.9, 2.0, 4.9, 5.0, 1e9)] == [
        *(None, busy, busy, None, None, hang, hang)
    ]


@pytest.mark.parametrize(
    "fault",
    [
        Status(status=429, retry_after="2"),
        Hang(applied=True),
        Slow(seconds=0.5),
        Cut(at="answer"),
        HalfJson(),
        Refuses(match=Match(text="x")),
        TooLargeAbove(events=10),
        Results(rejected=Match(type="bot.turn"), retryable=Match(one_in=3)),
    ],
)
def test_a_plan_travels_as_json(fault: Status) -> None:
    plan = always(fault)

    assert msgspec.json.decode(msgspec.json.encode(plan), type=FaultPlan) == plan


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (Match(), True),
        (Match(type="bot.turn"), True),
        (Match(type="bot.turn.other"), False),
        (Match(text="teapot"), True),
        (Match(text="kettle"), False),
        (Match(type="bot.turn", text="kettle"), False),
    ],
)
def test_an_event_matches_when_all_that_is_given_is_so(match: Match, *, fits: bool) -> None:
    assert match.fits(EVENT, b'{"data":"a teapot"}') == fits


@given(st.integers(1, 50))
def test_one_in_many_are_always_the_same(one_in: int) -> None:
    match = Match(one_in=one_in)
    events = [Arrival(id=str(number), source="s", type="t") for number in range(1_000)]

    chosen = [event for event in events if match.fits(event, b"")]

    assert chosen == [event for event in events if match.fits(event, b"other bytes")]
    assert 0.5 < len(chosen) * one_in / len(events) < 1.6
