"""Wherever a step stands in a session of whatever events: it is on its page, and what is around it is told rightly."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.console.telling import far, reading
from headrace.console.telling.variables import place_of
from headrace.console.views import session as view
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.port import EventQuery
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import ERROR, event
from unit.console.talks import site_of

HERE = "/api/v1/sessions/acme/s-1"
Seqs = st.lists(
    st.tuples(st.none() | st.integers(0, 30) | st.sampled_from([-(1 << 63), (1 << 63) - 1]), st.booleans()),
    min_size=1,
    max_size=40,
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few events be many."""
    monkeypatch.setattr(far, "AT_ONCE", 3)
    monkeypatch.setattr(view, "AT_ONCE", 3)


def stored(seqs: list[tuple[int | None, bool]]) -> MemoryEventLog:
    log = MemoryEventLog(FakeClock())
    for number, (seq, failed) in enumerate(seqs):
        told: dict[str, Any] = {"seq": seq} if seq is not None else {}
        log.upsert([event(f"e{number:02}", type="x", data={"error": ERROR} if failed else {}, **told)])
    return log


@settings(deadline=None)
@given(Seqs, st.integers(1, 60))
def test_the_page_of_an_event_has_it_and_begins_a_little_before(
    seqs: list[tuple[int | None, bool]], limit: int
) -> None:
    log = stored(seqs)
    for focus in log.events(EventQuery(org="acme", session="s-1")):
        page = far.page_at(log, EventQuery(org="acme", session="s-1", limit=max(limit, far.BEFORE + 1)), focus)
        assert focus.id in [each.id for each in page.rows]


@settings(deadline=None)
@given(Seqs)
def test_the_errors_around_an_event_are_the_nearest(seqs: list[tuple[int | None, bool]]) -> None:
    log = stored(seqs)
    events = log.events(EventQuery(org="acme", session="s-1"))
    failing = EventQuery(org="acme", session="s-1", failed=True)
    for focus in events:
        before = [each.id for each in events if each.failed and place_of(each) < place_of(focus)]
        after = [each.id for each in events if each.failed and place_of(each) > place_of(focus)]

        found = far.failed_around(log, failing, focus)

        assert sorted(found, key=place_of) == found
        assert [each.id for each in found if place_of(each) < place_of(focus)][-2:] == before[-2:]
        assert [each.id for each in found if place_of(each) > place_of(focus)] == after[:2]


def test_what_a_variable_was_is_known_however_many_and_however_long_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BYTES", 500)
    values = [
        event(f"e{n}", seq=n, type="bot.variable.set", data={"variable": "x", "value": f"{n} {'y' * 200}"})
        for n in range(30)
    ]
    with site_of(values) as site:
        for step in (1, 7, 29):
            (told,) = site.get(f"{HERE}?step={step}").json()["detail"]["variables"]
            assert (told["before"]["text"][1:3].strip(), told["after"]["text"][1:3].strip()) == (
                f"{step - 1}"[:2],
                f"{step}"[:2],
            )


def test_of_too_many_nothing_is_told_rather_than_something_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "VARIABLES", 5)
    values = [event(f"e{n}", seq=n, type="bot.variable.set", data={"variable": "x", "value": n}) for n in range(9)]
    with site_of(values) as site:
        known, unknown = (site.get(f"{HERE}?step={step}").json()["detail"] for step in (4, 5))
        page = site.get(f"{HERE.removeprefix('/api/v1')}?step=5").text

    assert (known["are_variables_known"], unknown["are_variables_known"], unknown["variables"]) == (True, False, [])
    assert "too many were set before" in page


def test_one_goes_from_error_to_error_beyond_those_that_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "ERRORS", 4)
    values = [event(f"e{n}", seq=n, type="x", data={"error": ERROR} if n % 2 else {}) for n in range(40)]
    with site_of(values) as site:
        walked = ["e1"]
        for _ in itertools.repeat(None, 19):
            detail = site.get(f"{HERE}?step={walked[-1]}").json()["detail"]
            assert detail["previous"] == (walked[-2] if len(walked) > 1 else None)
            walked.append(detail["next"])
        assert walked == [f"e{n}" for n in range(1, 40, 2)]
