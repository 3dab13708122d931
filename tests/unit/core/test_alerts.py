"""When an alert is told: raised after a while, resolved after a while, and told again seldom."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from headrace.core.alerts import CALM, SUBJECTS, Alarms, Growth, Notice, Symptom

AFTER = 30.0
REPEAT = 14_400.0


def symptom(is_wrong: bool, subject: str = "crm", says: str = "it hurts") -> Symptom:
    return Symptom(rule="destination_failing", subject=subject, is_wrong=is_wrong, says=says)


def alarms() -> Alarms:
    return Alarms({"destination_failing": AFTER}, repeat=REPEAT)


def told(notices: Sequence[Notice]) -> list[str]:
    return [notice.kind for notice in notices]


def raised(alarms: Alarms, at: float = 0.0) -> Alarms:
    alarms.look([symptom(True)], at - AFTER)
    assert told(alarms.look([symptom(True)], at)) == ["raised"]
    return alarms


def test_an_alert_is_raised_once_its_cause_has_stood() -> None:
    ours = alarms()

    assert told(ours.look([symptom(True)], 0.0)) == []
    assert told(ours.look([symptom(True)], AFTER - 1)) == []
    (notice,) = ours.look([symptom(True)], AFTER)
    assert (notice.kind, notice.alert.since, notice.alert.raised_at) == ("raised", 0.0, AFTER)
    assert ours.open() == [notice.alert]


def test_a_rule_without_a_wait_is_raised_at_once() -> None:
    assert told(Alarms({}, repeat=REPEAT).look([symptom(True)], 0.0)) == ["raised"]


def test_what_passes_by_itself_is_never_told() -> None:
    ours = alarms()

    notices = [*ours.look([symptom(True)], 0.0), *ours.look([symptom(False)], 20.0), *ours.look([symptom(True)], AFTER)]

    assert notices == []
    assert ours.open() == []


def test_what_comes_and_goes_is_told_once() -> None:
    ours = raised(alarms())

    notices = [
        notice for step in range(100) for notice in ours.look([symptom(step % 2 == 1)], 1.0 + step * (CALM - 1.0))
    ]

    assert notices == []
    assert len(ours.open()) == 1


def test_an_alert_is_resolved_after_a_calm() -> None:
    ours = raised(alarms())

    assert told(ours.look([symptom(False)], 10.0)) == []
    (notice,) = ours.look([symptom(False)], 10.0 + CALM)
    assert (notice.kind, notice.alert.resolved_at) == ("resolved", 10.0 + CALM)
    assert ours.open() == []


def test_what_stays_open_is_told_again_seldom_and_with_its_latest_words() -> None:
    ours = raised(alarms())

    assert told(ours.look([symptom(True)], REPEAT - 1)) == []
    (notice,) = ours.look([symptom(True, says="it hurts more")], REPEAT)
    assert (notice.kind, notice.alert.says) == ("open", "it hurts more")
    assert told(ours.look([symptom(True)], REPEAT + 1)) == []


def test_what_is_not_known_changes_nothing() -> None:
    ours = raised(alarms())

    assert told(ours.look([], 10 * CALM)) == []
    assert len(ours.open()) == 1


def test_subjects_are_for_themselves() -> None:
    ours = raised(alarms())

    ours.look([symptom(True, "log")], 0.0)
    notices = ours.look([symptom(True), symptom(True, "log")], AFTER)

    assert [notice.alert.subject for notice in notices] == ["log"]
    assert [alert.subject for alert in ours.open()] == ["log", "crm"]


def test_memory_is_bounded_and_what_is_known_is_resolved_all_the_same() -> None:
    ours = Alarms({}, repeat=REPEAT, calm={"destination_failing": 0.0})
    everything = [symptom(True, str(number)) for number in range(SUBJECTS + 10)]

    assert len(ours.look(everything, 0.0)) == SUBJECTS
    assert told(ours.look([symptom(False, "0"), symptom(True, "late")], 1.0)) == ["resolved", "raised"]


@given(st.lists(st.tuples(st.floats(0.1, 2_000.0), st.sampled_from(["wrong", "well", "unknown"])), max_size=60))
def test_notices_of_a_subject_begin_with_raised_and_end_with_resolved(steps: list[tuple[float, str]]) -> None:
    """Raised, then open any number of times but not more than each REPEAT, then resolved, and so on."""
    ours, now = alarms(), 0.0
    is_open, told_at, wrong_since = False, 0.0, None
    for seconds, state in steps:
        now += seconds
        found = [] if state == "unknown" else [symptom(state == "wrong")]
        wrong_since = now if state == "wrong" and wrong_since is None else wrong_since
        for notice in ours.look(found, now):
            assert (notice.kind == "raised") == (not is_open)
            if notice.kind == "open":
                assert now - told_at >= REPEAT
            if notice.kind == "raised":
                assert wrong_since is not None
                assert now - wrong_since >= AFTER
            is_open, told_at = notice.kind != "resolved", now
        wrong_since = None if state == "well" else wrong_since
        assert bool(ours.open()) == is_open


def test_growth_is_that_of_the_window() -> None:
    dead = Growth(300.0)

    assert [dead.add(total, at) for total, at in [(100, 0.0), (105, 10.0), (105, 309.0), (106, 311.0)]] == [0, 5, 5, 1]


def test_growth_begins_anew_where_a_topic_was_made_anew() -> None:
    dead = Growth(300.0)
    dead.add(100, 0.0)

    assert (dead.add(3, 1.0), dead.add(4, 2.0)) == (0, 1)


@given(st.lists(st.tuples(st.floats(0.1, 100.0), st.integers(0, 50)), min_size=1, max_size=50))
def test_growth_counts_what_came_within_the_window(steps: list[tuple[float, int]]) -> None:
    """Nothing that came within it is left out, and nothing that came before the look ahead of it is counted."""
    dead, now, total = Growth(300.0), 0.0, 1_000
    came: list[tuple[float, int]] = []
    dead.add(total, now)
    for seconds, more in steps:
        now, total = now + seconds, total + more
        came.append((now, more))
        grown = dead.add(total, now)
        assert grown >= sum(count for at, count in came if at > now - 300.0)
        assert grown <= sum(count for at, count in came if at > now - 400.1)
