"""What the console finds wrong, rule by rule, and what it leaves alone."""

from typing import Any

import msgspec
import pytest

from headrace.console.alarm.settings import AlertsSettings
from headrace.console.alarm.symptoms import RULES, Seen, symptoms
from headrace.console.chores import Pulse
from headrace.console.watching.watch import Watched
from headrace.core.alerts import Rule, Symptom
from headrace.model.units import Duration
from unit.console.river_scenes import NOW, books, lane, part, river, waiting, watched

LIMITS = AlertsSettings()
KEPT = Pulse(name="keeper", does="", done_at=NOW - 1)


def find(**seen: Any) -> dict[tuple[Rule, str], Symptom]:
    told: dict[str, Any] = {"now": NOW, "started_at": NOW - 86_400, "watched": watched(), "pulses": [KEPT], "dead": 0}
    found = symptoms(Seen(**(told | seen)), LIMITS)
    return {(each.rule, each.subject): each for each in found}


def wrong(**seen: Any) -> list[Rule]:
    return [rule for (rule, _), each in find(**seen).items() if each.is_wrong]


def test_a_calm_river_has_no_symptom() -> None:
    assert wrong(journal=(0, 1000), lanes=[lane("acme")]) == []


def test_every_rule_is_looked_at() -> None:
    assert {rule for rule, _ in find(journal=(0, 1000), lanes=[lane("acme")])} == set(RULES)


def test_lag_is_the_age_of_the_oldest_event() -> None:
    fresh, old = part(end=200, oldest=299), part(end=200, oldest=301)

    assert wrong(watched=watched(river(fresh))) == []
    assert wrong(watched=watched(river(old))) == ["lag"]


def test_a_retry_that_waits_for_its_time_is_not_late() -> None:
    waits, late = part(end=200, oldest=329), part(end=200, oldest=331)

    assert wrong(watched=watched(river(tier=waits))) == []
    found = find(watched=watched(river(tier=late)))
    assert found["lag", "headrace.retry.30s"].says == "headrace.retry.30s: the first retry is late 5 min 1 s"


def test_lag_that_is_not_known_is_no_symptom() -> None:
    unread = river(part(end=200, oldest=None))

    assert ("lag", "headrace.events") not in find(watched=watched(unread))


@pytest.mark.parametrize(
    ("parts", "is_wrong"),
    [
        ([part(end=200, oldest=9, standing=True)], True),
        ([part(end=200, oldest=9, standing=True), part(1)], True),
        ([part(end=200, oldest=9, standing=True), part(1, end=200, oldest=9)], False),
        ([part(end=200, committed=None)], True),
        ([part(end=0, committed=None)], False),
        ([part()], False),
    ],
)
def test_workers_are_silent_when_nothing_that_waits_goes_on(parts: list[Any], is_wrong: bool) -> None:
    assert find(watched=watched(river(*parts)))["workers_silent", ""].is_wrong == is_wrong


def test_dead_letters_are_counted_against_their_limit() -> None:
    assert wrong(dead=9) == []
    assert find(dead=1_234)["dead_letters", ""].says == "1,234 dead letters within 5 min"
    assert wrong(dead=10) == ["dead_letters"]


def test_a_destination_that_takes_nothing_is_named_with_its_orgs() -> None:
    lanes = [lane(f"org{number}", failing=600 + number) for number in range(7)] + [lane("well"), lane("well", "log")]

    found = find(lanes=lanes)

    assert found["destination_failing", "crm"].is_wrong
    assert found["destination_failing", "crm"].says == (
        "crm takes nothing for 10 min 6 s, of org0, org1, org2, org3, org4 and 2 more"
    )
    assert not found["destination_failing", "log"].is_wrong


def test_no_word_of_a_destination_is_told() -> None:
    """What it answers can quote an event."""
    found = find(lanes=[lane("acme", failing=9_999)])

    assert "the text of an event" not in str(found)


@pytest.mark.parametrize("paused", [["crm"], ["crm/acme"]])
def test_what_a_person_paused_is_not_failing(paused: list[str]) -> None:
    assert wrong(lanes=[lane("acme", failing=9_999)], paused=paused) == []


def test_a_pause_of_one_org_says_nothing_of_another() -> None:
    assert wrong(lanes=[lane("acme", failing=9_999)], paused=["crm/beta"]) == ["destination_failing"]


@pytest.mark.parametrize(
    ("of", "org", "is_parked"), [("acme", "acme", True), ("beta", "acme", False), ("-", "acme", True)]
)
def test_a_destination_is_parked_where_events_hop_past_a_lane_that_fails(of: str, org: str, is_parked: bool) -> None:
    """Also one that all orgs share. It is told long before it has been failing for ten minutes."""
    seen = msgspec.structs.replace(river(), waiting=[waiting(org, "parked"), waiting("well", "failed")])

    found = find(watched=watched(seen), lanes=[lane(of, failing=20), lane("well", "log")])

    assert found["destination_parked", "crm"].is_wrong == is_parked
    assert not found["destination_failing", "crm"].is_wrong
    assert not found["destination_parked", "log"].is_wrong
    if is_parked:
        assert found["destination_parked", "crm"].says == ("crm is parked" if of == "-" else "crm is parked, of acme")
    paused = find(watched=watched(seen), lanes=[lane(of, failing=20)], paused=["crm"])
    assert not paused["destination_parked", "crm"].is_wrong


def test_a_lane_that_nobody_tries_any_more_is_forgotten() -> None:
    stale = lane("acme", failing=99_999, tried=9_000)

    assert wrong(lanes=[stale], forgotten=NOW - 8_000) == []
    assert wrong(lanes=[stale], forgotten=NOW - 10_000) == ["destination_failing"]


def test_a_single_failure_is_none_yet() -> None:
    once = msgspec.structs.replace(lane("acme", failing=9_999), failures=1)

    assert wrong(lanes=[once]) == []


def test_books_that_do_not_balance_say_what_is_missing() -> None:
    found = find(watched=watched(closed=books(balanced=False, lost=3)))

    assert found["books_unbalanced", ""].is_wrong
    assert found["books_unbalanced", ""].says == "the books do not balance: 3 lost, 0 duplicates"


def test_books_grow_old() -> None:
    assert wrong(watched=watched(closed=books(at=NOW - 901))) == ["books_old"]
    assert wrong(watched=watched(closed=books(at=NOW - 899))) == []


def test_before_the_first_look_there_is_time_and_then_there_is_not() -> None:
    nothing = Watched()

    assert wrong(watched=nothing, started_at=NOW - 10, dead=None) == []
    assert wrong(watched=nothing, started_at=NOW - 61, dead=None) == ["river_unseen"]
    assert wrong(watched=nothing, started_at=NOW - 901, dead=None) == ["river_unseen", "books_old"]


def test_a_river_that_is_not_seen_any_more_is_told() -> None:
    assert wrong(watched=watched(river(at=NOW - 61))) == ["river_unseen"]


@pytest.mark.parametrize(
    ("pulse", "is_wrong"),
    [
        (KEPT, False),
        (Pulse(name="keeper", does="", done_at=NOW - 1, failure="the disk is full"), True),
        (Pulse(name="keeper", does="", done_at=NOW - 301), True),
        (Pulse(name="keeper", does=""), True),
    ],
)
def test_the_event_log_is_kept_or_not(pulse: Pulse, is_wrong: bool) -> None:
    assert find(pulses=[pulse])["event_log_failing", ""].is_wrong == is_wrong


def test_the_journal_fills() -> None:
    assert wrong(journal=(500, 1000)) == []
    assert (
        find(journal=(600 << 20, 1 << 30))["journal_filling", ""].says
        == "the journal on the console's host holds 600.0 MiB of 1.0 GiB"
    )
    assert wrong(journal=(501, 1000)) == ["journal_filling"]


def test_limits_are_settings() -> None:
    tight = AlertsSettings(lag=Duration(1), dead_letters=1)
    seen = Seen(now=NOW, started_at=NOW, watched=watched(river(part(end=200, oldest=2))), dead=1)

    assert [each.rule for each in symptoms(seen, tight) if each.is_wrong] == ["lag", "dead_letters"]


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="url: 'ftp://x' is no address"):
        AlertsSettings(url="ftp://x")
