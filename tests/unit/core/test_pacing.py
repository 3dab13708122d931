"""Parking, probes, Retry-After and suspicion of one destination."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.pacing import PARK_AFTER, REFUSALS_TO_PARK, SLOW_AFTER, Gate, Pace
from headrace.core.schedule import RetrySchedule
from headrace.model.units import Duration

schedule = RetrySchedule([Duration(5), Duration(30), Duration(300)], Duration(4000))


@pytest.fixture
def pace() -> Pace:
    return Pace(largest=500)


def failing(pace: Pace, now: float = 100.0) -> Pace:
    for _ in range(PARK_AFTER):
        pace.fail(now, probe=False)
    return pace


def test_a_destination_parks_after_failures_in_a_row(pace: Pace) -> None:
    for _ in range(PARK_AFTER - 1):
        pace.fail(100.0, probe=False)
    assert pace.gate(100.0) is Gate.OPEN

    pace.fail(100.0, probe=False)

    assert pace.gate(100.0) is Gate.PROBE


def test_a_success_in_between_begins_the_count_anew(pace: Pace) -> None:
    for _ in range(PARK_AFTER * 3):
        pace.fail(100.0, probe=False)
        pace.succeed(100.0, took=0.01)

    assert pace.gate(100.0) is Gate.OPEN


def test_a_wrong_destination_parks_at_once(pace: Pace) -> None:
    pace.park(100.0)

    assert pace.gate(100.0) is Gate.PROBE


def test_one_probe_at_a_time(pace: Pace) -> None:
    failing(pace).probing = True

    assert pace.gate(101.0) is Gate.SHUT


def test_a_failed_probe_halves_the_next_down_to_one_event(pace: Pace) -> None:
    failing(pace)
    sizes = []
    for _ in range(11):
        sizes.append(pace.probe_events)
        pace.probing = True
        pace.fail(101.0, probe=True)

    assert sizes == [500, 250, 125, 62, 31, 15, 7, 3, 1, 1, 1]


def test_a_probe_that_was_answered_opens_the_gate_and_restores_the_size(pace: Pace) -> None:
    failing(pace).probing = True
    pace.fail(101.0, probe=True)
    pace.probing = True

    pace.succeed(102.0, took=0.01)

    assert pace.gate(102.0) is Gate.OPEN
    assert pace.probe_events == 500


def test_retry_after_shuts_out_probes_too_and_ends_by_itself(pace: Pace) -> None:
    pace.shut(100.0, 20.0, schedule)

    assert pace.gate(119.9) is Gate.SHUT
    assert pace.gate(120.0) is Gate.OPEN


def test_retry_after_is_cut_to_a_quarter_of_giving_up(pace: Pace) -> None:
    pace.shut(100.0, 315_360_000.0, schedule)

    assert pace.shut_until == 100.0 + 1000.0


@pytest.mark.parametrize(("later", "tier"), [(0, 5), (29, 5), (30, 30), (299, 30), (300, 300), (9000, 300)])
def test_hops_keep_in_proportion_to_how_long_it_has_been_parked(pace: Pace, later: float, tier: float) -> None:
    failing(pace, now=100.0)

    assert pace.hop(100.0 + later, schedule) == tier


@pytest.mark.parametrize(("left", "tier"), [(1, 5), (29, 5), (31, 30), (400, 300)])
def test_hops_under_retry_after_fit_into_what_is_left(pace: Pace, left: float, tier: float) -> None:
    pace.shut(100.0, left, schedule)

    assert pace.hop(100.0, schedule) == tier


def test_a_thousand_single_refusals_in_a_row_mean_that_the_destination_is_wrong(pace: Pace) -> None:
    answers = [pace.refuse() for _ in range(REFUSALS_TO_PARK)]

    assert answers == [False] * (REFUSALS_TO_PARK - 1) + [True]


def test_slow_answers_make_a_suspect_that_is_still_proven(pace: Pace) -> None:
    pace.succeed(100.0, took=SLOW_AFTER)

    assert pace.is_suspect
    assert pace.is_proven


@given(st.lists(st.sampled_from(["ok", "fail", "probe_fails", "wrong", "wait"]), max_size=60))
def test_whatever_happens_the_gate_is_open_or_will_be_probed(steps: list[str]) -> None:
    """No sequence of answers locks a destination out for ever."""
    pace, now = Pace(largest=500), 100.0
    for step in steps:
        now += 1.0
        match step:
            case "ok":
                pace.succeed(now, took=0.01)
            case "fail":
                pace.fail(now, probe=False)
            case "probe_fails":
                pace.probing = pace.gate(now) is Gate.PROBE
                pace.fail(now, probe=pace.probing)
            case "wrong":
                pace.park(now)
            case _:
                pace.shut(now, 10.0, schedule)

    assert pace.gate(now + 1000.0) is not Gate.SHUT
    assert 1 <= pace.probe_events <= 500


def test_a_paused_destination_gets_no_probes_and_its_events_hop_by_how_long_it_is_paused(pace: Pace) -> None:
    failing(pace).paused_at = 100.0

    assert pace.gate(1000.0) is Gate.SHUT
    assert [pace.hop(now, schedule) for now in (101.0, 140.0, 5000.0)] == [5.0, 30.0, 300.0]
    assert pace.why == "paused"

    pace.paused_at = None
    assert pace.gate(1000.0) is Gate.PROBE
