"""The checker of the chaos runs: a good history passes, and each kind of wrong is caught and called by its name."""

from collections.abc import Callable

import pytest

from chaos.checker import STARVED, check, judge
from chaos.findings import WRONGS
from chaos.history import DOWN, History
from chaos.ledger import Ledger
from chaos.records import Answered, Applied, Held, Overslept, Requested, Stored
from chaos.stories import (
    STORIES,
    delivered,
    lost_after_a_tier,
    lost_after_kafka,
    lost_in_the_journal,
    never_quiet,
    undrained,
    without,
)


def wrongs(ledger: Ledger) -> dict[str, int]:
    return check(ledger).wrongs


def test_a_good_history_passes() -> None:
    history, _ = delivered()
    findings = check(history.ledger())

    assert findings.wrongs == {}
    assert judge(findings, history.ledger(), 0) == "passed"
    figures = findings.figures
    assert (figures["taken"], figures["applied"], figures["stored"], figures["repeated_sends"]) == (3, 3, 3, 0)


def test_what_retries_in_time_and_repeats_after_a_crash_passes() -> None:
    history = History()
    first, second = history.emit("org-0", "s"), history.emit("org-0", "s")
    history.store([first, second])
    history.post("crm-0", [first, second], applied=[])
    due = history.retry("crm-0", first, 1.0, 1)
    history.retry("crm-0", second, 1.0, 1)
    history.wait(due - history.now + 0.1)
    history.post("crm-0", [first, second])
    history.post("crm-0", [first])
    findings = check(history.ledger())

    assert findings.wrongs == {}
    assert (findings.figures["repeated_sends"], findings.figures["retries"]) == (3, 2)


def test_the_dead_org_keeps_its_events_on_tiers() -> None:
    history = History()
    n = history.emit(DOWN, "s")
    history.store([n])
    history.retry("crm-9", n, 10.0, 0, settled=False)

    findings = check(history.ledger())

    assert findings.wrongs == {}
    assert findings.figures["standing"] == 1


def test_an_event_whose_emit_never_returned_may_be_there_or_not() -> None:
    history = History()
    there = history.emit("org-0", "s", taken=None)
    history.emit("org-0", "s", taken=None, kept=False)
    history.post("crm-0", [there])
    history.store([there])

    assert wrongs(history.ledger()) == {}


@pytest.mark.parametrize(("kind", "story"), STORIES, ids=lambda each: getattr(each, "__name__", each))
def test_each_kind_of_wrong_is_named(kind: str, story: Callable[[], Ledger]) -> None:
    ledger = story()
    findings = check(ledger)

    assert list(findings.wrongs) == [kind]
    assert findings.evidence[kind]
    assert judge(findings, ledger, 0) == "failed"


def test_every_kind_of_wrong_is_fed() -> None:
    assert {kind for kind, _ in STORIES} == set(WRONGS)


def test_a_lost_event_says_where_it_was_last_seen() -> None:
    def said(ledger: Ledger) -> str:
        return check(ledger).evidence["lost"][0]

    assert "journal" in said(lost_in_the_journal())
    assert "events/0/3, committed" in said(lost_after_kafka())
    assert "retry.1s/0/0, committed" in said(lost_after_a_tier())


def test_a_rejected_event_does_not_hold_its_session() -> None:
    history = History()
    first, second = history.emit("org-0", "s"), history.emit("org-0", "s")
    history.post("crm-0", [first, second], refused=[first])
    history.bury("crm-0", first)
    history.store([first, second])

    assert wrongs(history.ledger()) == {}


def test_a_destination_that_takes_the_later_event_of_a_post_breaks_no_order() -> None:
    history = History()
    first, second, third = (history.emit("org-0", "s") for _ in range(3))
    history.store([first, second, third])
    history.post("crm-0", [first, second], applied=[second])
    due = history.retry("crm-0", first, 1.0, 1)
    history.wait(due - history.now)
    history.post("crm-0", [first, third])

    assert wrongs(history.ledger()) == {}


@pytest.mark.parametrize(("worker", "expected"), [("worker-1", {}), ("worker-2", {"order": 1})])
def test_only_what_a_frozen_worker_had_under_way_is_excused(worker: str, expected: dict[str, int]) -> None:
    history = History()
    first, second = history.emit("org-0", "s"), history.emit("org-0", "s")
    history.fault("freeze_worker", "worker-1", 5.0)
    history.post("crm-0", [second], worker=worker)
    history.post("crm-0", [first])
    history.store([first, second])

    assert wrongs(history.ledger()) == expected


def test_a_repeat_by_a_worker_that_took_over_is_not_early() -> None:
    history = History()
    n = history.emit("org-0", "s")
    history.post("crm-0", [n], applied=[])
    history.retry("crm-0", n, 3.0, 1)
    history.fault("kill_worker", "worker-1", 0.1)
    history.post("crm-0", [n], worker="worker-2")
    history.store([n])

    assert wrongs(history.ledger()) == {}


def test_a_post_that_was_long_on_its_way_is_not_early() -> None:
    """It was sent before its time-out put the event on a tier, and came after that."""
    history = History()
    n = history.emit("org-0", "s")
    sent_at = int(history.now)
    history.wait(5.0)
    history.retry("crm-0", n, 3.0, 1)
    history.post("crm-0", [n])
    history.store([n])
    late = next(each for each in history.records if isinstance(each, Requested))
    history.records[history.records.index(late)] = Requested(
        late.request, late.at, sent_at, late.destination, late.org, late.worker, late.fault, late.is_signed, late.events
    )

    assert wrongs(history.ledger()) == {}


@pytest.mark.parametrize(("victim", "expected"), [("crm-0", {}), ("hub", {"early": 1})])
def test_what_comes_off_a_broken_connection_is_not_early(victim: str, expected: dict[str, int]) -> None:
    history = History()
    n = history.emit("org-0", "s")
    history.fault("drop_org_link", victim, 1.0)
    history.retry("crm-0", n, 3.0, 1)
    history.post("crm-0", [n])
    history.store([n])

    assert wrongs(history.ledger()) == expected


@pytest.mark.parametrize(
    ("faults", "bit", "late", "verdict"),
    [
        (1, True, 0.0, "passed"),
        (1, False, 0.0, "unknown"),
        (2, True, 0.0, "unknown"),
        (1, True, STARVED + 1, "unknown"),
    ],
)
def test_a_run_that_showed_nothing_is_unknown(faults: int, bit: bool, late: float, verdict: str) -> None:
    history, _ = delivered()
    history.fault("hang", "org-0", 1.0, bit=bit)
    history.records.append(Overslept(history.now, late))
    ledger = history.ledger()

    assert judge(check(ledger), ledger, faults) == verdict


@pytest.mark.parametrize(("late", "verdict"), [(0.0, "failed"), (STARVED + 1, "unknown")])
def test_a_host_that_was_starved_excuses_what_is_late_and_nothing_else(late: float, verdict: str) -> None:
    for story in (never_quiet, undrained):
        ledger = story()
        ledger.overslept.append(Overslept(0.0, late))
        assert judge(check(ledger), ledger, 0) == verdict

    ledger = lost_after_kafka()
    ledger.overslept.append(Overslept(0.0, late))
    assert judge(check(ledger), ledger, 0) == "failed"


def test_a_run_in_which_nothing_was_said_is_unknown() -> None:
    ledger = History().ledger()

    assert judge(check(ledger), ledger, 0) == "unknown"


def test_an_answer_that_never_came_changes_nothing() -> None:
    assert wrongs(without(delivered()[0], Answered).ledger()) == {}
    assert wrongs(without(delivered()[0], Applied).ledger()) == {"lost": 3, "order": 2}
    assert wrongs(without(delivered()[0], Stored).ledger()) == {"lost": 3}
    assert wrongs(without(delivered()[0], Held).ledger()) == {"lost": 3, "phantom": 6}
