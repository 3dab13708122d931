"""Every number links to what it counts, and leads to where that is counted; what is counted nowhere leads nowhere."""

from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from urllib.parse import urlsplit

import msgspec
import pytest

from headrace.console.viewer import Viewer
from headrace.eventlog.graphs import Counted
from unit.console.asking_client import NOW, Asking, open_site
from unit.console.counted_log import MINUTE, counted, counters
from unit.console.talks import told
from unit.console.watched_river import attempt, known, watched
from unit.ledger.test_audit import NAMES, TIER, River, flowing

COUNTED_NOWHERE = {
    "Books": {"retried", "duplicates", "expired"},
    "Destinations": {"success", "median"},
    "Topics": {"oldest", "kept for"},
    "Partitions": {"begin", "committed"},
    "Sessions": {"lasted"},
}
"""Columns of the tables of these names that no page lists: rates, lengths of time, and places."""


class Cell(msgspec.Struct):
    """One number of a table, with where it leads."""

    region: str
    column: str
    text: str = ""
    href: str = ""


class Numbers(HTMLParser):
    """Finds the numbers of the tables on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: list[Cell] = []
        self._region = ""
        self._is_open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if told.get("role") == "region":
            self._region = told.get("aria-label", "")
        if tag == "td" and "number" in told.get("class", "").split():
            self.cells.append(Cell(self._region, told.get("data-of", "")))
            self._is_open = True
        if tag == "a" and self._is_open:
            self.cells[-1].href = told.get("href", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._is_open = False

    def handle_data(self, data: str) -> None:
        if self._is_open:
            self.cells[-1].text += data


def river() -> River:
    """A river in whose tables every column has a number."""
    flown = flowing()
    attempt(flown, "b", NOW - 20, delivered=0, retryable=1, error="HTTP 503")
    return flown


@pytest.fixture(params=["operator", "viewer"])
def site(request: pytest.FixtureRequest) -> Iterator[Asking]:
    log = counted()
    log.upsert(told("s-1", org="b"))
    log.count(Counted(counters=counters("b", "crm", MINUTE, posts=2, failed=1, dead=3)))
    viewer = Viewer("vera", "b") if request.param == "viewer" else Viewer("olga")
    flown = river()
    with open_site(watch=watched(flown), broker=flown.broker, known=known(), log=log, viewer=viewer) as opened:
        yield opened


def cells(site: Asking, path: str, *regions: str) -> Sequence[Cell]:
    page = site.get(path)
    if page.status == 404:
        pytest.skip("that page is for operators")
    found = [each for each in Numbers(page.text).cells if each.region in regions]
    assert {each.region for each in found} >= set(regions), path
    return found


@pytest.mark.parametrize(
    ("path", "region"),
    [
        ("/", "Exceptions"),
        ("/orgs", "Orgs"),
        ("/books", "Books"),
        ("/destinations", "Destinations"),
        ("/orgs/b", "Destinations"),
        ("/exceptions", "Exceptions"),
        ("/sessions", "Sessions"),
        ("/topics", "Topics"),
        (f"/topics/{NAMES.events}", "Partitions"),
        ("/retries", "Tiers"),
    ],
)
def test_every_number_leads_to_a_page_that_there_is(site: Asking, path: str, region: str) -> None:
    told = [each for each in cells(site, path, region) if each.column not in COUNTED_NOWHERE.get(region, ())]

    numbers = [each for each in told if any(letter.isdigit() for letter in each.text)]
    assert numbers
    plain = [each for each in numbers if not each.href]
    if region == "Books":
        # One destination has no page of what it lost: what is wrong is told for an org and for all.
        plain = [each for each in plain if each.column != "lost"]
    assert plain == []
    for each in numbers:
        assert not each.href or site.get(each.href.partition("#")[0]).status == 200, each


def test_worst_orgs_lead_to_the_letters_and_graphs_of_the_same_time(site: Asking) -> None:
    if "Worst orgs" not in site.get("/").text:
        pytest.skip("that table is for operators")
    found = cells(site, "/", "Worst orgs")

    assert all(each.href for each in found)
    (died,) = [each for each in found if each.column == "died" and each.text == "3"]
    begin = int((NOW - 3600) // 3600 * 3600)
    assert died.href == f"/dead?org=b&state=all&since={begin}"


def test_accepted_leads_to_no_list_of_sessions_which_counts_other_things(site: Asking) -> None:
    pages = [site.get(path) for path in ("/", "/orgs", "/orgs/b", "/books")]

    accepted = [each for page in pages for each in Numbers(page.text).cells if each.column == "accepted"]
    assert accepted
    assert "/sessions" not in {urlsplit(each.href).path for each in accepted}
    assert all('<dt>Accepted</dt><dd><a href="/books' in pages[number].text for number in (0, 2))


def test_bar_of_dead_letters_leads_to_those_of_its_minute(site: Asking) -> None:
    page = site.get("/orgs/b").text

    href = f"/dead?state=all&amp;org=b&amp;since={MINUTE}&amp;until={MINUTE + 60}#letters"
    assert page.count(f'<a href="{href}">') == 1
    assert page.count("#letters") == 1, "a minute without any leads nowhere"


def leads(site: Asking, path: str, region: str) -> dict[str, set[str]]:
    """Return where the numbers of a table lead, by column."""
    found: dict[str, set[str]] = {}
    for each in cells(site, path, region):
        found.setdefault(each.column, set()).add(each.href)
    return found


def test_numbers_of_topics_lead_to_the_records_that_they_count(site: Asking) -> None:
    topics = leads(site, "/topics", "Topics")
    parts = leads(site, f"/topics/{NAMES.events}?partition=0&before=1", "Partitions")

    assert f"/topics/{NAMES.events}#records" in topics["records"]
    assert f"/topics/{NAMES.events}#partitions" in topics["partitions"]
    assert parts["end"] == parts["lag"] == {f"/topics/{NAMES.events}?partition=0#records"}


def test_what_waits_on_a_tier_leads_to_what_waits_on_that_tier(site: Asking) -> None:
    (told,) = site.get("/api/v1/retries").json()["tiers"]
    tiers = leads(site, "/retries?org=b", "Tiers")

    assert (told["topic"], told["tier"]) == (TIER, "5s")
    assert tiers["waiting"] == {"/retries?org=b&tier=5s#groups"}


def test_numbers_of_a_session_lead_to_its_log_and_times_of_an_exception_to_the_error(site: Asking) -> None:
    sessions = leads(site, "/sessions?org=b", "Sessions")
    group = site.get("/api/v1/exceptions?org=b").json()["rows"][0]["fingerprint"]
    hits = leads(site, f"/exceptions/{group}", "Sessions, the last hit first")

    assert sessions["turns"] == sessions["events"] == {"/sessions/b/s-1?view=log"}
    assert f"/sessions/b/s-1?error={group.replace(':', '%3A')}#step" in hits["times"]
