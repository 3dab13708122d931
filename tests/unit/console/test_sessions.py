"""The list of sessions, and erasing."""

from urllib.parse import quote

import pytest

from headrace.console.fields import LONGEST
from headrace.console.links import link
from headrace.console.show import iso
from headrace.console.viewer import Viewer
from headrace.testing.clock import EPOCH, FakeClock
from headrace.testing.eventlog_contract import event
from headrace.wire.times import to_text
from unit.console.talks import ACME, order_status, site_of, told

ERASER = Viewer("eve", "acme", is_eraser=True)


def test_a_session_is_one_row_that_leads_to_it_and_to_its_first_error() -> None:
    with site_of(told("s-1")) as site:
        (row,) = site.get("/api/v1/sessions").json()["rows"]
        page = site.get("/sessions").text

    assert (row["session"], row["bot"], row["version"], row["turns"], row["errors"]) == ("s-1", "helpdesk", "3.1", 1, 1)
    assert (row["seconds"], row["end_type"], row["error_type"]) == (12.0, "user", "OrderNotFound")
    assert 'href="/sessions/acme/s-1"' in page
    assert f'href="/sessions/acme/s-1?error={quote(row["error_fingerprint"])}#step"' in page
    assert f'href="/exceptions/{quote(row["error_fingerprint"])}"' in page
    assert "kept for 30 d" in page


def test_a_session_tells_when_it_ended_and_how() -> None:
    with site_of([*told("over"), event("1", subject="lives")]) as site:
        rows = {each["session"]: each for each in site.get("/api/v1/sessions").json()["rows"]}
        page = site.get("/sessions").text

    over, lives = (page[page.index(f"<bdi>{name}</bdi>") :].partition("</tr>")[0] for name in ("over", "lives"))
    assert f'<time datetime="{iso(rows["over"]["ended_at"])}"' in over
    assert "by <bdi>user</bdi>" in over
    assert ('<span class="badge info">open</span>' in lives, "open</span>" in over) == (True, False)


def test_sessions_are_filtered_by_time_org_and_end() -> None:
    values = [
        event("1", subject="new", time=to_text(EPOCH - 60)),
        event("2", subject="day", time=to_text(EPOCH - 7200)),
        event("3", subject="old", time=to_text(EPOCH - 8 * 86400)),
        event("4", subject="other", source="/orgs/globex/bots/b", time=to_text(EPOCH - 60)),
        *told("over", begin=EPOCH - 3000),
    ]
    with site_of(values) as site:

        def found(query: str) -> list[str]:
            page = site.get(f"/sessions?{query}").text
            rows: list[str] = [each["session"] for each in site.get(f"/api/v1/sessions?{query}").json()["rows"]]
            assert all(f"<bdi>{each}</bdi>" in page for each in rows)
            return rows

        assert found("org=acme") == ["new", "over", "day", "old"]
        assert sorted(found("within=1h")) == ["new", "other", "over"]
        assert found("org=acme&within=24h") == ["new", "over", "day"]
        assert found("within=7d&errors=true") == ["over"]
        assert found("end_type=user") == ["over"]
        assert found("org=acme&open=true") == ["new", "day", "old"]
        assert found("text=nothing-like-it") == []
        assert "No session matches" in site.get("/sessions?text=nothing-like-it").text


def test_an_empty_log_says_what_would_be_here() -> None:
    with site_of([]) as site:
        assert "headrace demo" in site.get("/sessions").text


def test_an_org_viewer_sees_their_sessions_only() -> None:
    with site_of(told("s-1") + told("s-9", org="globex"), viewer=ACME) as site:
        page = site.get("/sessions").text
        rows = site.get("/api/v1/sessions").json()["rows"]

    assert [each["session"] for each in rows] == ["s-1"]
    assert "globex" not in page


def test_a_session_is_erased_once_its_name_is_typed() -> None:
    clock = FakeClock()
    with site_of(told("s-1", "s-2"), viewer=ERASER, clock=clock) as site:
        assert "13 events" in site.get("/sessions/acme/s-1/erase").text
        refused = site.post("/sessions/acme/s-1/erase", {"confirm": "s-2"})
        assert (refused.status, "another one" in refused.text) == (400, True)
        assert site.get("/sessions/acme/s-1").status == 200

        done = site.post("/sessions/acme/s-1/erase", {"confirm": "s-1"})

        assert (done.status, done.headers["location"]) == (303, "/sessions/acme/s-1")
        assert "This session was erased" in site.get("/sessions/acme/s-1").text
        assert [each["session"] for each in site.get("/api/v1/sessions").json()["rows"]] == ["s-2"]
        assert site.post("/sessions/acme/s-1/erase", {"confirm": "s-1"}).status == 404
        assert site.post("/sessions/globex/s-1/erase", {"confirm": "s-1"}).status == 404
        assert site.get("/sessions/acme/s-1/erase").status == 404


def test_a_user_is_erased_with_all_their_sessions_and_nobody_elses() -> None:
    values = told("s-1", "s-2") + told("s-3", talk=lambda log: order_status(log, user="u-70"))
    with site_of(values) as site:
        asked = site.get("/api/v1/users/acme/u-7/erase").json()
        assert sorted(each["session"] for each in asked["sessions"]) == ["s-1", "s-2"]
        assert site.post("/users/acme/u-7/erase", {"confirm": ""}).status == 400

        done = site.post("/api/v1/users/acme/u-7/erase", json={"confirm": "u-7"})

        assert done.json() == {"sessions": 2, "events": 26}
        assert [each["session"] for each in site.get("/api/v1/sessions").json()["rows"]] == ["s-3"]
        assert "No session of this user is stored" in site.get("/users/acme/u-7/erase").text


@pytest.mark.parametrize("name", ["s" * LONGEST, "\U0001f600" * LONGEST, " two\nlines\r\n", "a/b?c#d%"], ids=range(4))
def test_what_can_be_opened_can_be_erased(name: str) -> None:
    """A browser leaves the ends of lines out of what is typed into a field."""
    path = link("/sessions/{org}/{session}", {"org": "acme", "session": name})
    assert len(path) < 25_000, "a request's head has 32 KiB"
    with site_of([event("1", subject=name)]) as site:
        assert site.get(path).status == 200
        assert site.get(f"{path}/erase").status == 200
        typed = name.replace("\r", "").replace("\n", "")
        assert site.post(f"{path}/erase", {"confirm": typed}).status == 303
        assert site.get(f"/api/v1{path}").json()["summary"] is None


def test_an_event_with_a_long_id_can_be_opened() -> None:
    with site_of([event("e" * LONGEST, subject="s-1")]) as site:
        step = site.get(f"/api/v1/sessions/acme/s-1?step={'e' * LONGEST}").json()

    assert step["detail"] is not None


@pytest.mark.parametrize("path", ["/sessions/acme/{}", "/sessions/acme/{}/erase", "/users/acme/{}/erase"])
def test_a_name_that_is_too_long_for_an_address_is_told_as_that(path: str) -> None:
    name = "s" * (LONGEST + 1)
    with site_of([event("1", subject=name)]) as site:
        told = site.get("/api/v1" + path.format(name))
    with site_of([event("1", subject=name)], viewer=Viewer("gus", "globex")) as site:
        foreign = site.get("/api/v1" + path.format(name))

    assert told.status == 400
    assert "names of 2,000 characters at most, and this one has 2,001" in told.json()["detail"]
    assert foreign.status == 404
