"""Windows of time: typed into a form, kept in the address, shown as chips, and taken away."""

from collections.abc import Iterator

import pytest

from headrace.console.fields import read_time
from headrace.console.show import field
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.trail import Deed
from headrace.testing.clock import EPOCH, FakeClock
from unit.console.asking_client import Asking, open_site
from unit.console.talks import ACME, site_of, told

PAGES = ("/sessions", "/exceptions", "/trail")
BEGUN = EPOCH - 86_400
TYPED = f"since={field(BEGUN - 600)}&until={field(BEGUN + 600)}".replace(":", "%3A")


@pytest.fixture
def site() -> Iterator[Asking]:
    """A site with a conversation that threw, and a deed, of yesterday and of now."""
    clock = FakeClock()
    log = MemoryEventLog(clock)
    log.upsert(told("yesterday", begin=BEGUN) + told("now"))
    for name, at in (("yesterday", BEGUN), ("now", EPOCH - 60)):
        log.note(Deed(id=name, at=at, who=f"who-{name}", action="pause"))
    with open_site(log=log, clock=clock) as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1772374200", 1772374200.0),
        ("1772374200.25", 1772374200.25),
        ("2026-03-01T14:10", 1772374200.0),
        ("2026-03-01T14:10:30.5", 1772374230.5),
        ("2026-03-01T14:10Z", 1772374200.0),
        ("2026-03-01T15:10+01:00", 1772374200.0),
        ("2026-03-01", 1772323200.0),
    ],
)
def test_a_time_is_seconds_or_what_a_browser_sends_in_utc(text: str, at: float) -> None:
    assert read_time(text) == at


@pytest.mark.parametrize(
    ("at", "text"), [(None, ""), (1772374200.0, "2026-03-01T14:10"), (1.5, "1970-01-01T00:00:01.500")]
)
def test_a_field_holds_a_time_as_short_as_it_is(at: float | None, text: str) -> None:
    assert field(at) == text
    assert at is None or read_time(text) == at


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("text", ["yesterday", "nan", "inf", "2026-02-30T10:00", "-5", "9999999999999"])
def test_what_is_no_time_is_refused_with_one_sentence(site: Asking, path: str, text: str) -> None:
    page = site.get(f"{path}?since={text}")

    assert page.status == 400
    assert page.text.count("since: ") == 1


def test_a_window_finds_what_lies_in_it(site: Asking) -> None:
    sessions = site.get(f"/api/v1/sessions?{TYPED}").json()["rows"]
    deeds = site.get(f"/api/v1/trail?{TYPED}").json()["rows"]

    assert [each["session"] for each in sessions] == ["yesterday"]
    assert [each["id"] for each in deeds] == ["yesterday"]


@pytest.mark.parametrize("path", PAGES)
def test_a_window_stands_in_the_form_and_each_end_of_it_can_be_taken_away(site: Asking, path: str) -> None:
    page = site.get(f"{path}?{TYPED}").text

    for name, at in (("since", BEGUN - 600), ("until", BEGUN + 600)):
        assert f'name="{name}" type="datetime-local" step="any" value="{field(at)}"' in page
    assert f'href="{path}?until={BEGUN + 600:.0f}" aria-label="Remove the filter by begin"' in page
    assert f'href="{path}?since={BEGUN - 600:.0f}" aria-label="Remove the filter by end"' in page
    assert f'<li><a href="{path}">Remove all</a></li>' in page


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_field_is_no_window(site: Asking, path: str) -> None:
    page = site.get(f"{path}?since=&until=").text

    assert 'class="chips"' not in page
    assert "matches" not in page


@pytest.mark.parametrize(("path", "words"), [*zip(PAGES, ("No session", "No exception", "No deed"), strict=True)])
def test_a_window_in_which_nothing_lies_says_that_nothing_matches(site: Asking, path: str, words: str) -> None:
    page = site.get(f"{path}?until=2020-01-01T00:00").text

    assert f"{words} matches" in page
    assert "Here will be" not in page


@pytest.mark.parametrize("path", ["/sessions", "/exceptions"])
def test_a_window_takes_the_place_of_a_spell_and_a_spell_that_of_a_window(site: Asking, path: str) -> None:
    both = site.get(f"{path}?within=1h&{TYPED}").text
    spell = site.get(f"{path}?within=1h").text
    tabs = both.partition('<nav class="tabs" aria-label="Time">')[2].partition("</nav>")[0]

    assert "aria-current" not in tabs
    assert f'<a href="{path}?within=24h">Last day</a>' in tabs
    assert 'type="hidden" name="within"' not in both
    assert '<input type="hidden" name="within" value="1h">' in spell
    assert [each["session"] for each in site.get(f"/api/v1/sessions?within=1h&{TYPED}").json()["rows"]] == ["yesterday"]


def test_the_last_chip_of_a_window_does_not_bring_back_the_spell_before_it(site: Asking) -> None:
    page = site.get(f"/sessions?within=1h&since={BEGUN}").text

    assert '<a href="/sessions" aria-label="Remove the filter by begin">' in page


def test_an_org_to_which_nothing_came_is_told_what_would_be_here() -> None:
    with site_of([], viewer=ACME) as site:
        assert "Here will be the conversations" in site.get("/sessions").text
        assert "Nothing threw so far" in site.get("/exceptions").text
