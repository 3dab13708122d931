"""Orgs, the worst first, and one org alone."""

from collections.abc import Sequence

from headrace.console.viewer import Viewer
from headrace.eventlog.counting import Counter
from headrace.eventlog.graphs import Counted, CounterQuery, TotalsQuery
from headrace.eventlog.memory import MemoryEventLog
from headrace.testing.clock import FakeClock
from unit.console.asking_client import NOW, open_site
from unit.console.counted_log import MINUTE, counted, counted_up_to, counters
from unit.console.talks import site_of, told
from unit.console.watched_river import attempt, known, watched
from unit.ledger.test_audit import NAMES, B, River, flowing


def test_orgs_are_listed_worst_first_with_the_columns_of_the_audit() -> None:
    with open_site(watch=watched(), known=known()) as site:
        page, document = site.get("/orgs"), site.get("/api/v1/orgs").json()

    books = flowing().audit()
    assert page.status == 200
    assert [each["org"] for each in document["rows"]] == ["b", "a"], "b has a dead letter"
    assert {each["org"]: each["books"]["delivered"] for each in document["rows"]} == {
        name: line.delivered for name, line in books.orgs.items()
    }
    assert document["total"]["accepted"] == books.accepted


def test_orgs_are_filtered_by_name_and_by_trouble() -> None:
    with open_site(watch=watched(), known=known()) as site:
        named = site.get("/api/v1/orgs?text=A").json()
        troubled = site.get("/api/v1/orgs?trouble=true").json()
        none = site.get("/orgs?text=nobody").text

    assert [each["org"] for each in named["rows"]] == ["a"]
    assert [each["org"] for each in troubled["rows"]] == ["b"]
    assert "No org matches" in none


def test_many_orgs_are_many_pages() -> None:
    river = River()
    river.emit(*(f"o{number}" for number in range(25)))
    with open_site(watch=watched(river), known=known()) as site:
        first = site.get("/api/v1/orgs?limit=10").json()
        rest = [site.get(f"/api/v1/orgs?limit=10&after={after}").json() for after in (10, 20)]

    names = [each["org"] for page in (first, *rest) for each in page["rows"]]
    assert (first["next"], rest[-1]["next"], first["found"]) == (10, None, 25)
    assert sorted(names) == sorted(f"o{number}" for number in range(25))


def test_an_org_has_a_page_of_its_own_for_its_viewer_and_nobody_elses() -> None:
    with open_site(watch=watched(), known=known(), viewer=Viewer("vera", "b")) as site:
        own, foreign, absent = site.get("/api/v1/orgs/b"), site.get("/orgs/a"), site.get("/orgs/zzz")
        listed, page = site.get("/orgs"), site.get("/orgs/b")

    assert own.json()["books"]["accepted"] == 2
    assert [each["destination"] for each in own.json()["destinations"]] == ["crm"]
    assert own.json()["seen"]["positions"] == {}
    assert page.status == 200
    assert (foreign.status, absent.status, listed.status) == (404, 404, 404)
    assert foreign.body == absent.body


def test_an_orgs_failed_sessions_are_told_without_the_events_themselves() -> None:
    with site_of(told("s-1")) as site:
        (failed,) = site.get("/api/v1/orgs/acme").json()["failed"]

    assert (failed["session"], failed["error_type"], failed["seconds"]) == ("s-1", "OrderNotFound", 12.0)
    assert not {"first_error", "end"} & failed.keys()


def test_what_is_wrong_in_an_orgs_books_is_on_its_page() -> None:
    river = River()
    river.emit("b")
    river.settle(NAMES.events, 0, 1)
    with open_site(watch=watched(river), known=known()) as site:
        page = site.get("/orgs/b")

    assert "does not say what became of" in page.text
    assert B == ("b", "crm")


class Asked(MemoryEventLog):
    """A log that notes how often it was asked for numbers."""

    def __init__(self) -> None:
        super().__init__(FakeClock())
        self.questions: list[CounterQuery | TotalsQuery] = []

    def counters(self, query: CounterQuery) -> Sequence[Counter]:
        self.questions.append(query)
        return super().counters(query)

    def totals(self, query: TotalsQuery) -> Sequence[Counter]:
        self.questions.append(query)
        return super().totals(query)


def test_a_page_of_orgs_is_one_question_to_the_event_log() -> None:
    """A transaction for each row, every five seconds, would be felt by everybody who writes."""
    river, log = River(), Asked()
    river.emit(*(f"o{number}" for number in range(25)))
    for number in range(25):
        log.count(Counted(counters=counters(f"o{number}", "crm", MINUTE, posts=10 + number, failed=number)))
    counted_up_to(log, NOW)
    with open_site(watch=watched(river), known=known(), log=log) as site:
        rows = site.get("/api/v1/orgs?limit=10&after=10").json()["rows"]

    assert len(log.questions) == 1
    assert {each["org"]: each["hour"]["failed"] for each in rows} == {
        each["org"]: int(each["org"][1:]) for each in rows
    }


def test_an_hour_of_an_org_is_the_same_in_the_list_and_by_destination() -> None:
    with open_site(watch=watched(), known=known(), log=counted()) as site:
        rows = {each["org"]: each["hour"] for each in site.get("/api/v1/orgs").json()["rows"]}
        theirs = site.get("/api/v1/destinations?org=b").json()["rows"]

    (crm,) = [each["hour"] for each in theirs if each["destination"] == "crm"]
    assert rows["b"] == crm
    assert (crm["posts"], crm["ms"]) == (1, 8.0)


def stands(river: River) -> dict[str, tuple[int, int]]:
    with open_site(watch=watched(river), known=known()) as site:
        rows = site.get("/api/v1/orgs").json()["rows"]
    return {each["org"]: (each["failing"], each["delivering"]) for each in rows}


def test_no_org_is_well_of_which_nothing_was_seen_of_late() -> None:
    river = flowing()
    attempt(river, "a", NOW - 86_400)
    with open_site(watch=watched(river), known=known()) as site:
        page = site.get("/orgs").text

    assert stands(river) == {"a": (0, 0), "b": (0, 0)}
    assert page.count('<a class="badge quiet"') == 2
    assert '<a class="badge good"' not in page


def test_destinations_of_an_org_count_with_those_that_all_share() -> None:
    river = flowing()
    attempt(river, "a", NOW - 10)
    attempt(river, "*", NOW - 5, destination="log", delivered=0, retryable=1, error="full")
    with open_site(watch=watched(river), known=known()) as site:
        troubled = [each["org"] for each in site.get("/api/v1/orgs?trouble=true").json()["rows"]]
        page = site.get("/orgs").text

    assert stands(river) == {"a": (1, 1), "b": (0, 0)}, "the log is not on the route of b"
    assert "a" in troubled
    assert "1 failing" in page
