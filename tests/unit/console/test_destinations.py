"""Destinations: how each stands, what was posted, test sends, and no secret anywhere."""

from collections.abc import Mapping

import pytest

from headrace.console.rehearsals import Rehearsals
from headrace.console.viewer import Viewer
from headrace.console.views.destinations import target_of
from headrace.console.watching.condition import LATELY, standing
from headrace.console.watching.recent import Lane
from headrace.console.watching.river import Waiting
from headrace.model.exchange import Exchange
from headrace.model.pause import Pause
from unit.console.asking_client import NOW, Asking, open_site
from unit.console.counted_log import MINUTE, counted
from unit.console.watched_river import CRM, attempt, known, watched
from unit.ledger.test_audit import TIER, B, River, flowing

SECRETS = ("tok3n", "s3cret-path")


def failing() -> River:
    """A river whose org b is not delivered to: it was once, then twice not."""
    river = flowing()
    attempt(river, "b", NOW - 30)
    attempt(river, "b", NOW - 20, delivered=0, retryable=1, error="HTTP 503 Service Unavailable")
    attempt(river, "b", NOW - 10, delivered=0, retryable=1, error="HTTP 503 Service Unavailable")
    attempt(river, "a", NOW - 5, ms=8.0)
    return river


def test_a_destination_fails_for_one_org_and_delivers_for_the_other() -> None:
    with open_site(watch=watched(failing()), known=known()) as site:
        rows = site.get("/api/v1/destinations").json()["rows"]
        theirs = site.get("/api/v1/destinations?org=a").json()["rows"]
        page = site.get("/destinations")

    crm = next(each for each in rows if each["destination"] == "crm")["standing"]
    assert (crm["state"], crm["failing"], crm["lanes"], crm["since"]) == ("failing", 1, 2, NOW - 20)
    assert crm["error"] == "HTTP 503 Service Unavailable"
    assert [(each["destination"], each["standing"]["state"]) for each in theirs] == [
        ("crm", "delivering"),
        ("log", "quiet"),
    ]
    assert "failing" in page.text


def test_columns_of_a_destination_are_those_of_the_audit_for_all_and_for_one_org() -> None:
    books = flowing().audit()
    with open_site(watch=watched(), known=known()) as site:
        rows = site.get("/api/v1/destinations").json()["rows"]
        theirs = site.get("/api/v1/destinations/crm?org=b").json()["line"]["books"]

    assert {each["destination"]: each["books"]["accepted"] for each in rows} == {
        name: line.accepted for name, line in books.destinations.items()
    }
    assert (theirs["accepted"], theirs["rejected"]) == (2, 1)


def lane(**fields: float) -> Lane:
    return Lane(**{"org": "b", "destination": "crm", "at": NOW, "ms": 1.0} | fields)  # type: ignore[arg-type]


def hop(reason: str) -> Waiting:
    told: Mapping[str, float] = {"first_failed_at": NOW, "due_at": NOW}
    place = {"topic": TIER, "partition": 0, "offset": 0, "origin": "", "tier": "5s", "attempts": 0}
    whose = {"org": "b", "destination": "crm", "session": "", "error": ""}
    return Waiting(reason=reason, **place, **whose, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lanes", "waiting", "pauses", "state"),
    [
        ([], [], {}, "quiet"),
        ([lane()], [hop("parked")], {}, "delivering"),
        ([lane(at=NOW - LATELY)], [], {}, "quiet"),
        ([lane(at=NOW - LATELY), lane(at=NOW - LATELY + 1)], [], {}, "delivering"),
        ([lane(at=NOW - 2 * LATELY, failing_since=NOW - 3 * LATELY)], [], {}, "failing"),
        ([lane(failing_since=NOW)], [hop("failed")], {}, "failing"),
        ([lane(failing_since=NOW)], [hop("parked")], {}, "parked"),
        ([lane()], [], {"crm": Pause(destination="crm")}, "paused"),
        ([lane()], [], {"crm/b": Pause(destination="crm", org="b")}, "paused"),
        ([lane()], [], {"crm/c": Pause(destination="crm", org="c")}, "delivering"),
    ],
)
def test_a_destination_stands_as_attempts_hops_and_pauses_say(
    lanes: list[Lane], waiting: list[Waiting], pauses: Mapping[str, Pause], state: str
) -> None:
    assert standing("crm", "b", lanes, waiting, pauses, NOW).state == state


@pytest.mark.parametrize("org", [None, "a"])
def test_what_all_orgs_share_is_parked_for_all_of_them_and_says_so(org: str | None) -> None:
    """Its lane is nobody's, and the events that hop past it are of orgs."""
    river = flowing()
    attempt(river, "*", NOW, destination="log", delivered=0, retryable=1, error="full")
    river.move(TIER, ("c", "log"), reason="parked")
    with open_site(watch=watched(river), known=known()) as site:
        rows = site.get(f"/api/v1/destinations?org={org}" if org else "/api/v1/destinations").json()["rows"]

    assert {each["destination"]: each["standing"]["state"] for each in rows}["log"] == "parked"


def test_of_the_orgs_of_a_destination_those_are_parked_whose_events_hop_past_it() -> None:
    river = flowing()
    for org in ("b", "c"):
        attempt(river, org, NOW, delivered=0, retryable=1, error="HTTP 503")
    river.move(TIER, ("b", "crm"), reason="parked")
    with open_site(watch=watched(river), known=known()) as site:
        told = site.get("/api/v1/destinations/crm").json()
        page = site.get("/destinations/crm").text

    assert (told["line"]["standing"]["state"], told["parked"]) == ("parked", ["b"])
    of_org = {org: page[page.index(f"org={org}") :].partition("</tr>")[0] for org in ("b", "c")}
    assert ">parked<" in of_org["b"]
    assert ">failing<" in of_org["c"]


def test_attempts_of_an_org_are_nobody_elses() -> None:
    with open_site(watch=watched(failing()), known=known(), viewer=Viewer("vera", "b")) as site:
        own = site.get("/api/v1/destinations/crm?tab=attempts").json()["attempts"]
        failed = site.get("/api/v1/destinations/crm?tab=attempts&failed=true").json()["attempts"]
        foreign = [site.get("/destinations/log"), site.get("/destinations/none")]
        pages = [site.get(f"/destinations/crm?tab={tab}").status for tab in ("overview", "attempts", "settings")]

    assert {each["org"] for each in own} == {"b"}
    assert (len(own), len(failed)) == (3, 2)
    assert [each.status for each in foreign] == [404, 404], "log is not on the route of b"
    assert pages == [200, 200, 200]


def test_attempts_at_what_all_orgs_share_are_not_for_an_org() -> None:
    river = flowing()
    attempt(river, "*", NOW, destination="log", error="of somebody")
    with open_site(watch=watched(river), known=known()) as site:
        everybodys = site.get("/api/v1/destinations/log?tab=attempts").json()["attempts"]
    with open_site(watch=watched(river), known=known(), viewer=Viewer("vera", "a")) as site:
        theirs = site.get("/api/v1/destinations/log?tab=attempts")
        seen = [theirs.text, site.get("/destinations/log").text, site.get("/api/v1/orgs/a").text]

    assert len(everybodys) == 1
    assert theirs.json()["attempts"] == []
    assert not any("of somebody" in text for text in seen)


def rehearse(destination: str, org: str, id_: str, value: bytes) -> Exchange:
    assert id_.encode() in value
    return Exchange(
        outcome="delivered",
        ms=3.0,
        target=target_of(CRM),
        headers=[("webhook-id", "msg_1"), ("Authorization", "***")],
        body=f"[{value.decode()}]",
        status=200,
        answer="<b>fine</b>",
    )


def test_a_test_send_shows_what_went_over_the_wire() -> None:
    with open_site(watch=watched(), known=known(), rehearse=rehearse, rehearsals=Rehearsals()) as site:
        done = site.post("/destinations/crm/test", {"org": "a"})
        page = site.get(done.headers["location"])

    assert done.status == 303
    assert "webhook-id: msg_1" in page.text
    assert "headrace.test" in page.text
    assert "&lt;b&gt;fine&lt;/b&gt;" in page.text
    assert not [secret for secret in SECRETS if secret in page.text]


def test_a_test_send_of_an_org_is_shown_to_nobody_else() -> None:
    kept = Rehearsals()
    with open_site(watch=watched(), known=known(), rehearse=rehearse, rehearsals=kept) as site:
        id_ = site.post("/api/v1/destinations/crm/test", json={"org": "a"}).json()["id"]
    with open_site(
        watch=watched(), known=known(), rehearse=rehearse, rehearsals=kept, viewer=Viewer("vera", "b")
    ) as site:
        foreign = site.get(f"/api/v1/destinations/crm?test={id_}").json()
        refused = site.post("/api/v1/destinations/crm/test", json={"org": "a"})
        off_route = site.post("/api/v1/destinations/log/test", json={})
        own = site.post("/api/v1/destinations/crm/test", json={})

    assert foreign["test"] is None
    assert (refused.status, off_route.status, own.status, own.json()["org"]) == (404, 404, 200, "b")


def test_an_operator_has_to_say_whose_test_event_it_is() -> None:
    with open_site(watch=watched(), known=known(), rehearse=rehearse) as site:
        refused = site.post("/api/v1/destinations/crm/test", json={})

    assert refused.status == 400
    assert "name the org" in refused.json()["detail"]


def test_no_secret_and_no_whole_url_is_on_any_page_of_destinations() -> None:
    with open_site(watch=watched(failing()), known=known()) as site:
        texts = _all_pages(site)

    assert not [secret for text in texts for secret in SECRETS if secret in text]
    assert "https://crm.example" in texts[0]


def _all_pages(site: Asking) -> list[str]:
    paths = ["/destinations", *(f"/destinations/crm?tab={tab}" for tab in ("overview", "attempts", "settings"))]
    return [site.get(head + path).text for path in paths for head in ("", "/api/v1")]


def test_waiting_for_a_paused_destination_is_told_with_who_paused_it() -> None:
    watch = watched(failing())
    watch.tell(pauses={"crm": Pause(destination="crm", by="olga", at=NOW, why="migration")})
    with open_site(watch=watch, known=known()) as site:
        page = site.get("/destinations/crm")

    assert "migration" in page.text
    assert 'action="/destinations/crm/resume"' in page.text
    assert B == ("b", "crm")


def test_a_bar_of_posts_leads_to_the_attempts_of_its_minute() -> None:
    with open_site(watch=watched(failing()), known=known(), log=counted()) as site:
        page = site.get("/destinations/crm?org=a").text
        begun = site.get(f"/api/v1/destinations/crm?tab=attempts&since={NOW - 20}&until={NOW - 10}").json()["attempts"]
        told = site.get(f"/destinations/crm?tab=attempts&since={MINUTE}").text

    href = f"/destinations/crm?tab=attempts&amp;org=a&amp;since={MINUTE}&amp;until={MINUTE + 60}"
    assert f'<a href="{href}">' in page
    assert [each["at"] for each in begun] == [NOW - 20]
    assert "Of any time" in told
