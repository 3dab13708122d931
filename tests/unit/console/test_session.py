"""The page of a session, and its JSON: three views, one step in full, long sessions, hostile text."""

import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from headrace.console.telling import reading
from headrace.eventlog.fingerprint import failure
from headrace.testing.eventlog_contract import ERROR, event
from unit.console.talks import ACME, site_of, told

HERE = "/sessions/acme/s-1"
HOSTILE = "<b>s</b>/../x?y#z%2F \u202e"


class Ids(HTMLParser):
    """Collects a page's ids, and its attributes that have no business there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.bad: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "style" or name.startswith("on"):
                self.bad.append(f"{tag} {name}")


def test_a_conversation_is_told_with_the_bots_way_and_the_exception_where_it_was_thrown() -> None:
    with site_of(told("s-1")) as site:
        page = site.get(HERE).text

    talk = page[page.index('class="talk"') :]
    said = (
        "Where is my order?",
        "order_status 93%",
        "LookUpOrder (apex)",
        "no order 7</bdi>",
        "I found no such order.",
    )
    assert [talk.index(each) for each in said] == sorted(talk.index(each) for each in said)
    assert '<span class="badge bad">custom code</span>' in page
    assert 'class="own"' in page
    assert "talks.py" in page
    assert "<dd>12 s</dd>" in page


@pytest.mark.parametrize("view", ["conversation", "timeline", "log"])
@pytest.mark.parametrize("step", ["", "&step=5"])
def test_every_view_is_well_formed(view: str, step: str) -> None:
    with site_of(told("s-1")) as site:
        answered = site.get(f"{HERE}?view={view}{step}")

    found = Ids(answered.text)
    assert answered.status == 200
    assert found.bad == []
    assert len(found.ids) == len(set(found.ids))
    assert "e-5" in found.ids
    assert ("step" in found.ids) == bool(step)


def test_the_three_views_tell_the_same_truth() -> None:
    with site_of(told("s-1")) as site:
        talk, time, log = (
            site.get(f"/api/v1{HERE}?view={view}").json() for view in ("conversation", "timeline", "log")
        )

    assert talk["steps"] == time["steps"]
    assert set(time["timeline"]["marks"]) == {each["name"] for each in talk["steps"]}
    assert [row["failed"] for row in log["rows"]].count(True) == len(talk["errors"]) == 1
    assert [row["seq"] for row in log["rows"]] == list(range(13))


def test_a_step_is_shown_with_inputs_variables_around_it_and_all_frames() -> None:
    with site_of(told("s-1")) as site:
        opened = site.get(f"/api/v1{HERE}?step=7").json()["detail"]
        after = site.get(f"/api/v1{HERE}?step=8").json()["detail"]
        page = site.get(f"{HERE}?step=8").text

    assert (opened["name"], [each["type"] for each in opened["events"]]) == (
        "6",
        ["bot.action.invoked", "bot.action.failed"],
    )
    assert opened["inputs"] == [{"name": "number", "value": {"text": "7", "is_cut": False}}]
    assert opened["fault"]["type"] == "OrderNotFound"
    assert [each["is_own"] for each in opened["fault"]["frames"]] == [True]
    (variable,) = after["variables"]
    assert (variable["before"]["text"], variable["after"]["text"]) == ("12345678901234567890", "null")
    assert "12345678901234567890" in page


def test_an_exception_opens_the_step_that_threw_and_errors_lead_to_each_other() -> None:
    values = [
        *told("s-1"),
        event("e20", seq=20, type="bot.exception.raised", data={"error": ERROR}),
        event("e21", seq=21, type="bot.exception.raised", data={"error": ERROR | {"type": "Other"}}),
    ]
    with site_of(values) as site:
        whole = site.get(f"/api/v1{HERE}").json()
        second = site.get(f"/api/v1{HERE}?error={quote(failure(values[-2]).fingerprint)}").json()["detail"]

    assert second["name"] == "20"
    assert whole["errors"] == [second["previous"], "e20", second["next"]]
    assert second["next"] == "e21"
    assert whole["missing"] == 7


def test_an_exception_is_found_behind_many_long_ones_of_other_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors are read a few at a time: 500 of a megabyte each would not fit into the memory at once."""
    monkeypatch.setattr(reading, "BYTES", 2_000)
    values = [event(f"e{n}", seq=n, data={"error": ERROR | {"message": "x" * 900, "type": f"T{n}"}}) for n in range(9)]
    with site_of(values) as site:
        found = site.get(f"/api/v1{HERE}?error={failure(values[7]).fingerprint}").json()
        nothing = site.get(f"/api/v1{HERE}?error=v2:0").json()

    assert (found["detail"]["id"], found["detail"]["previous"], found["detail"]["next"]) == ("e7", "e6", "e8")
    assert nothing["detail"] is None
    assert nothing["errors"] == [f"e{n}" for n in range(9)]


def test_a_step_that_is_not_there_leaves_the_page_as_it_is() -> None:
    with site_of(told("s-1")) as site:
        for step in ("999", "no-such", "-1", "--5", "-", "9" * 19, "9" * 400, "²"):
            assert site.get(f"/api/v1{HERE}?step={quote(step)}").json()["detail"] is None


def test_a_long_session_comes_in_pages_and_a_permalink_finds_its_own() -> None:
    values = [event(f"e{n}", seq=n, type="x") for n in range(60)] + [event("bare", type="x")]
    with site_of(values) as site:
        first = site.get(f"/api/v1{HERE}?limit=25").json()
        second = site.get(f"/api/v1{HERE}?limit=25&after={first['next']}").json()
        far = site.get(f"/api/v1{HERE}?limit=25&step=50").json()
        bare = site.get(f"/api/v1{HERE}?limit=25&step=bare").json()
        page = site.get(f"{HERE}?limit=25&step=50").text

    assert [each["seq"] for each in first["steps"] + second["steps"]] == list(range(50))
    assert (first["is_begin"], second["is_begin"], second["missing"]) == (True, False, 0)
    assert (far["detail"]["name"], far["is_begin"], far["steps"][0]["seq"]) == ("50", False, 40)
    assert (bare["detail"]["id"], [each["id"] for each in bare["steps"]]) == ("bare", ["bare"])
    assert "From the begin of the session" in page


def test_long_events_end_a_page_early_and_leave_none_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BYTES", 3000)
    values = [event(f"e{n}", seq=n, type="x", data="y" * 1000) for n in range(10)]
    with site_of(values) as site:
        first = site.get(f"/api/v1{HERE}/events").json()
        second = site.get(f"/api/v1{HERE}/events?after={first['next']}").json()

    assert [len(first["rows"]), len(second["rows"])] == [3, 3]
    assert first["rows"][2]["id"] == "e2"
    assert second["rows"][0]["id"] == "e3"


def test_what_never_came_is_said_of_the_whole_session() -> None:
    values = [event(f"e{n}", seq=n * 2, type="x") for n in range(40)]
    with site_of(values) as site:
        assert site.get(f"/api/v1{HERE}?limit=10").json()["missing"] == 39
        assert "missing 39" in site.get(f"{HERE}?limit=10").text


def test_of_a_very_long_session_it_is_said_that_nobody_knows_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.eventlog.pages.COUNTED", 2)
    with site_of([event(f"{n}", seq=2 * n) for n in range(3)]) as site:
        page, document = site.get(HERE).text, site.get(f"/api/v1{HERE}").json()

    assert document["missing"] is None
    assert "too many to say whether any is missing" in page


def test_hostile_text_is_text_and_the_longest_of_it_is_one_link_away() -> None:
    values = [
        event("h0", seq=0, subject=HOSTILE, type="bot.session.started", data={"user": "<script>alert(1)</script>"}),
        event("h1", seq=1, subject=HOSTILE, type="bot.message.received", data={"text": "<img onerror=a()>\0\x1b"}),
        event("h2", seq=2, subject=HOSTILE, type="bot.message.sent", data={"text": "A" * 1_000_000}),
        event("'\"><i>", seq=3, subject=HOSTILE, type="bot.exception.raised",
              data={"error": {"origin": "<i>", "type": "<b>T</b>", "message": "x" * 9000, "stack": "<u>\n" * 3000}}),
    ]  # fmt: skip
    path = f"/sessions/acme/{quote(HOSTILE, safe='')}"
    with site_of(values) as site:
        for view in ("conversation", "timeline", "log"):
            answered = site.get(f"{path}?view={view}&step=3")
            assert answered.status == 200
            assert not re.search("<(script>|img|b>|i>|u>)", answered.text)
            assert "\0" not in answered.text
            assert len(answered.body) < 200_000
        assert f"/api/v1{path}/events/h2".lower() in site.get(path).text.lower()
        whole = site.get(f"/api/v1{path}/events/h2").json()
        odd = site.get(f"/api/v1{path}/events/{quote(chr(39) + chr(34) + '><i>', safe='')}")

    assert whole["event"]["data"]["text"] == "A" * 1_000_000
    assert odd.json()["seq"] == 3


def test_an_event_comes_back_as_it_was_written() -> None:
    value = event("e1", type="x", data={}).replace(b'"data":{}', b'"data":{"n": 12345678901234567890123456789.50}')
    with site_of([value]) as site:
        answered = site.get(f"/api/v1{HERE}/events/e1")

    assert b'{"n": 12345678901234567890123456789.50}' in answered.body


def test_what_is_absent_and_what_is_anothers_are_alike() -> None:
    with site_of(told("s-1") + told("s-9", org="globex"), viewer=ACME) as site:
        for path in ("/sessions/globex/s-9", "/sessions/acme/s-9", "/sessions/acme/nothing"):
            for prefix, rest in (("", ""), ("/api/v1", ""), ("/api/v1", "/events"), ("/api/v1", "/events/x")):
                answered = site.get(f"{prefix}{path}{rest}")
                assert (answered.status, "there is nothing here" in answered.text) == (404, True)
        assert site.get(HERE).status == 200


def test_a_session_is_live_as_long_as_it_is_open_where_no_later_page_follows() -> None:
    values = [*told("over"), *(event(str(number), seq=number, subject="lives") for number in range(3))]
    with site_of(values) as site:
        lives, first, over = (site.get(f"/sessions/acme/{path}").text for path in ("lives", "lives?limit=2", "over"))
        after = site.get("/api/v1/sessions/acme/lives?limit=2").json()["next"]
        last = site.get(f"/sessions/acme/lives?limit=2&after={quote(after)}").text

    sections = ('id="head" data-live="5"', 'id="told" data-live="5"')
    assert [[each in page for each in sections] for page in (lives, first, last, over)] == [
        [True, True],
        [False, False],
        [True, True],
        [False, False],
    ]


def test_an_open_session_can_be_followed_in_the_live_tail() -> None:
    values = [*told("over"), event("1", subject="lives"), event("2", subject=None)]
    with site_of(values) as site:
        lives, over, none = (site.get(f"/sessions/acme/{path}").text for path in ("lives", "over", "~"))
    with site_of(values, viewer=ACME) as site:
        mine = site.get("/sessions/acme/lives").text
        assert site.get("/tail?session=lives").status == 200

    assert '<a class="button" href="/tail?org=acme&amp;session=lives">Follow live</a>' in lives
    assert '<a class="button" href="/tail?session=lives">Follow live</a>' in mine
    assert "Follow live" not in over + none
