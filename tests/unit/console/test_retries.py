"""Retries: what waits, when it is due, and for whom."""

from headrace.console.viewer import Viewer
from headrace.console.views.retries import MINUTES, due, groups
from headrace.console.watching.river import Waiting
from unit.console.asking_client import NOW, open_site
from unit.console.watched_river import known, watched
from unit.ledger.test_audit import TIER, A, B, River


def waiting(due_at: float, tier: str = "5s", org: str = "b", error: str = "") -> Waiting:
    return Waiting(
        tier=tier,
        topic=TIER,
        partition=0,
        offset=0,
        org=org,
        destination="crm",
        session="s",
        attempts=1,
        reason="failed",
        error=error,
        first_failed_at=NOW,
        due_at=due_at,
        origin="headrace.events/0/1",
    )


def retrying() -> River:
    river = River()
    river.emit("a", "b", "b")
    for cell in (A, B, B):
        river.move(TIER, cell)
    return river


def test_what_waits_is_counted_by_tier_and_by_org() -> None:
    with open_site(watch=watched(retrying()), known=known()) as site:
        page, document = site.get("/retries"), site.get("/api/v1/retries").json()

    assert page.status == 200
    assert (document["total"], document["read"], document["is_whole"]) == (3, 3, True)
    assert [(each["tier"], each["records"]) for each in document["tiers"]] == [("5s", 3)]
    assert [(each["org"], each["records"]) for each in document["groups"]] == [("b", 2), ("a", 1)]


def test_an_org_sees_what_of_its_own_waits() -> None:
    with open_site(watch=watched(retrying()), known=known(), viewer=Viewer("vera", "a")) as site:
        document, foreign = site.get("/api/v1/retries").json(), site.get("/retries?org=b")
        page = site.get("/retries")

    assert (document["total"], document["read"], [each["records"] for each in document["tiers"]]) == (1, 1, [1])
    assert {each["org"] for each in document["waiting"]} == {"a"}
    assert document["depth"] == []
    assert page.status == 200
    assert foreign.status == 404


def test_the_depth_for_one_org_is_unknown_when_not_all_was_read() -> None:
    watch = watched(retrying())
    river = watch.latest().river
    assert river is not None
    watch.tell(river=type(river)(at=river.at, topics=river.topics, waiting=river.waiting[:1], is_whole=False))
    with open_site(watch=watch, known=known()) as site:
        document = site.get("/api/v1/retries?org=b").json()
        everybodys = site.get("/api/v1/retries").json()

    assert [each["records"] for each in document["tiers"]] == [None]
    assert [each["records"] for each in everybodys["tiers"]] == [3]


def test_what_is_overdue_is_in_the_first_minute_and_what_is_far_is_left_out() -> None:
    first = NOW // 60 * 60
    minutes = due(
        [waiting(NOW - 500), waiting(first + 90), waiting(first + 5000), waiting(first, "1m")], ["5s", "1m"], NOW
    )

    assert len(minutes) == MINUTES
    assert [list(each.records) for each in minutes[:3]] == [[1, 1], [1, 0], [0, 0]]
    assert sum(sum(each.records) for each in minutes) == 3


def test_a_group_tells_the_latest_answer_that_says_something() -> None:
    (group,) = groups([waiting(1.0, error="HTTP 503"), waiting(2.0)])

    assert (group.records, group.error) == (2, "HTTP 503")


def test_nothing_that_waits_is_a_sentence() -> None:
    with open_site(watch=watched(River()), known=known()) as site:
        page = site.get("/retries?destination=crm")

    assert "Nothing waits that matches" in page.text


def test_a_minute_of_the_histogram_leads_to_what_is_due_in_it() -> None:
    river = retrying()
    with open_site(watch=watched(river), known=known()) as site:
        minute = next(each for each in site.get("/api/v1/retries").json()["due"] if sum(each["records"]))
        until = int(minute["at"]) + 60
        page = site.get("/retries").text
        due_by_then, later = (site.get(f"/api/v1/retries?{name}={until}").json() for name in ("until", "since"))

    assert f'<a href="/retries?until={until}#groups">' in page
    assert [sum(each["records"] for each in found["groups"]) for found in (due_by_then, later)] == [3, 0]
    assert [each["records"] for each in later["tiers"]] == [0]
