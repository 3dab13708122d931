"""Exceptions: the list, one of them, and what people decide about it."""

from urllib.parse import quote

from headrace.console.viewer import Viewer
from headrace.testing.clock import EPOCH
from headrace.testing.eventlog_contract import ERROR, event
from headrace.wire.times import to_text
from unit.console.talks import ACME, site_of, told


def raised(id_: str, /, at: float = EPOCH - 60, **fields: object) -> bytes:
    """Return an exception that tells a dialog, and no stack."""
    return event(id_, type="bot.exception.raised", time=to_text(at), data={"error": ERROR, "dialog": "d"}, **fields)


def test_what_threw_is_one_row_with_its_place_and_counts() -> None:
    with site_of(told("s-1", "s-2") + told("s-1", org="globex")) as site:
        (row,) = site.get("/api/v1/exceptions").json()["rows"]
        page = site.get("/exceptions").text

    assert (row["type"], row["culprit"], row["state"]) == ("OrderNotFound", "action LookUpOrder (apex)", "new")
    assert (row["count"], row["sessions"], row["orgs"]) == (3, 3, 2)
    assert f'href="/exceptions/{quote(row["fingerprint"], safe="")}"' in page
    assert '<span class="badge warn">new</span>' in page


def test_exceptions_are_filtered_by_state_text_and_time() -> None:
    with site_of([*told("s-1"), raised("old", EPOCH - 3 * 86400, subject="s-3")]) as site:

        def found(query: str) -> list[str]:
            return [each["culprit"].split()[-1] for each in site.get(f"/api/v1/exceptions?{query}").json()["rows"]]

        assert found("") == ["(apex)", "d"]
        assert found("within=24h") == ["(apex)"]
        assert found("state=ongoing") == ["d"]
        assert found("text=lookup") == ["(apex)"]
        assert found("text=nothing") == []
        assert "No exception matches" in site.get("/exceptions?text=nothing").text
        assert site.get("/exceptions?state=odd").status == 400


def test_exceptions_are_shown_in_the_order_that_is_asked_for() -> None:
    values = [*told("s-1", "s-2"), raised("late", EPOCH, subject="s-3")]
    with site_of(values) as site:

        def found(query: str) -> list[int]:
            return [each["count"] for each in site.get(f"/api/v1/exceptions?{query}").json()["rows"]]

        assert found("") == [1, 2]
        assert found("order=events") == [2, 1]
        assert site.get("/exceptions?order=odd").status == 400
        last = site.get("/exceptions?state=new").text
        events = site.get("/exceptions?state=new&order=events&limit=1").text

    assert '<th scope="col" aria-sort="descending"><a href="/exceptions?state=new">Last seen</a>' in last
    assert '<th scope="col" class="number"><a href="/exceptions?state=new&amp;order=events">Events</a>' in last
    assert "2 exceptions, the last seen first" in last
    assert (
        'class="number" aria-sort="descending"><a href="/exceptions?state=new&amp;order=events&amp;limit=1">' in events
    )
    assert '<option value="events" selected>' in events
    assert events.count("aria-sort") == last.count("aria-sort") == 1
    assert "1 exceptions, those with the most events first, and there are more" in events
    assert 'href="/exceptions?state=new&amp;order=events&amp;limit=1&amp;within=24h"' in events


def test_an_exception_shows_the_way_to_it_its_frames_and_whom_it_hit() -> None:
    with site_of(told("s-1", "s-2")) as site:
        fingerprint = site.get("/api/v1/exceptions").json()["rows"][0]["fingerprint"]
        path = f"/exceptions/{quote(fingerprint, safe='')}"
        told_of = site.get(f"/api/v1{path}").json()
        page = site.get(path).text
        hit = site.get(f"/sessions/acme/s-1?error={quote(fingerprint)}").text

    assert [each["verb"] for each in told_of["steps"]][-3:] == ["dialog", "set", "action"]
    assert told_of["steps"][-1]["fault"]["type"] == "OrderNotFound"
    assert [each["is_own"] for each in told_of["fault"]["frames"]] == [True]
    assert (told_of["rule"], "culprit" in told_of["reason"]) == ("v2", True)
    assert [each["session"] for each in told_of["hits"]] == ["s-2", "s-1"]
    assert told_of["versions"] == [{"bot": "helpdesk", "version": "3.1", "sessions": 2}]
    assert f'href="/sessions/acme/s-1?error={quote(fingerprint)}#step"' in page
    assert 'id="step"' in hit


def test_an_operator_sees_the_orgs_that_an_exception_hit() -> None:
    orgs = {f"org-{n:02}": n % 7 + 1 for n in range(27)}
    values = [
        raised(f"{org}-{n}", subject=f"s-{n}", source=f"/orgs/{org}/bots/b") for org in orgs for n in range(orgs[org])
    ]
    most_hit = sorted(orgs, key=lambda org: (-orgs[org], org))
    with site_of(values) as site:
        fingerprint = site.get("/api/v1/exceptions").json()["rows"][0]["fingerprint"]
        path = f"/exceptions/{quote(fingerprint, safe='')}"
        found = site.get(f"/api/v1{path}").json()["orgs"]
        page, of_one, listed = (site.get(each).text for each in (path, f"{path}?org=org-06", "/exceptions"))

    assert [(each["org"], each["count"], each["sessions"]) for each in found] == [
        (org, orgs[org], orgs[org]) for org in most_hit[:25]
    ]
    assert "and there are 2 more" in page
    assert '<dt>Orgs</dt><dd><a href="#orgs">27</a>' in page
    assert f'<th scope="row"><a href="{path}?org=org-06">org-06</a>' in page
    assert f'href="{path}#orgs"' in listed
    assert 'id="orgs"' not in of_one


def test_an_org_viewer_does_not_see_whom_else_an_exception_hit() -> None:
    with site_of(told("s-1") + told("s-1", org="globex"), viewer=ACME) as site:
        fingerprint = site.get("/api/v1/exceptions").json()["rows"][0]["fingerprint"]
        path = f"/exceptions/{quote(fingerprint, safe='')}"
        document, page = site.get(f"/api/v1{path}"), site.get(path).text

    assert document.json()["orgs"] == []
    assert "globex" not in document.text + page
    assert 'id="orgs"' not in page


def test_an_exception_whose_place_nobody_tells_is_grouped_by_its_message() -> None:
    value = event("1", type="bot.exception.raised", data={"error": ERROR})
    with site_of([value]) as site:
        fingerprint = site.get("/api/v1/exceptions").json()["rows"][0]["fingerprint"]
        told_of = site.get(f"/api/v1/exceptions/{fingerprint}").json()
        page = site.get(f"/exceptions/{fingerprint}").text

    assert "shape of its message" in told_of["reason"]
    assert [each["id"] for each in told_of["steps"]] == ["1"], "one without a seq stands alone"
    assert "tell no stack" in page


def test_an_org_viewer_decides_for_their_org_and_an_operator_for_all() -> None:
    values = told("s-1") + told("s-1", org="globex")
    for viewer, others in ((ACME, "new"), (Viewer("olga"), "resolved")):
        with site_of(values, viewer=viewer) as site:
            fingerprint = site.get("/api/v1/exceptions").json()["rows"][0]["fingerprint"]
            path = f"/exceptions/{quote(fingerprint, safe='')}"
            done = site.post(f"{path}/decide", {"action": "resolve"})
            mine = site.get(f"/api/v1{path}").json()["group"]
            assert done.status == 303
            assert done.headers["location"].startswith(path)
            assert (mine["state"], mine["changed_by"]) == ("resolved", viewer.name)
            if viewer.is_operator:
                assert site.get(f"/api/v1{path}?org=globex").json()["group"]["state"] == others
                assert site.post(f"/api/v1{path}/decide", json={"action": "reopen"}).json() == {"orgs": 2}
            assert site.post(f"/api/v1{path}/decide", json={"action": "ignore", "org": "acme"}).json() == {"orgs": 1}


def test_what_nobody_knows_and_what_is_anothers_are_alike() -> None:
    with site_of(told("s-9", org="globex")) as site:
        fingerprint = site.get("/api/v1/exceptions").json()["rows"][0]["fingerprint"]
    with site_of(told("s-9", org="globex"), viewer=ACME) as site:
        for name in (fingerprint, "v2:0000000000000000"):
            answers = [site.get(f"/exceptions/{name}"), site.get(f"/api/v1/exceptions/{name}")]
            answers.append(site.post(f"/api/v1/exceptions/{name}/decide", json={"action": "resolve"}))
            assert [each.status for each in answers] == [404, 404, 404]


def test_once_its_example_is_erased_the_group_still_tells_what_it_knows() -> None:
    values = told("s-1", "s-2")
    with site_of(values) as site:
        fingerprint = site.get("/api/v1/exceptions").json()["rows"][0]["fingerprint"]
        site.post("/sessions/acme/s-2/erase", {"confirm": "s-2"})
        left = site.get(f"/api/v1/exceptions/{fingerprint}").json()

    assert [each["session"] for each in left["hits"]] == ["s-1"]
    assert left["group"]["last_session"] == "s-1"
