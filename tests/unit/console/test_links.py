"""Names as segments of paths: whatever they are, they survive browsers and come back as they were."""

import re
from urllib.parse import unquote, urljoin

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headrace.console.links import read_segment, segment
from headrace.eventlog.memory import MemoryEventLog
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import event
from unit.console.asking_client import open_site

STRANGE = [
    ".",
    "..",
    "...",
    "",
    "~",
    "~.",
    "~..",
    "/",
    "../..",
    "a/b",
    "%",
    "%2e",
    "%2F",
    "a%20b",
    "a b?c#d",
    "\\",
    "é",
]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
@example(".")
@example("~..")
@example("")
def test_every_name_survives_a_path(name: str) -> None:
    written = segment(name)

    assert read_segment(written) == name
    assert re.fullmatch(r"[A-Za-z0-9_.~%-]+", written)
    assert unquote(written) not in {".", ".."}, "which browsers take away, however they are encoded"
    assert urljoin("http://console/sessions/acme/x", f"/sessions/acme/{written}").endswith(f"/acme/{written}")


@pytest.mark.parametrize("name", STRANGE)
def test_session_of_any_name_is_found_by_its_link(name: str) -> None:
    log = MemoryEventLog(FakeClock())
    subject = {"subject": name} if name else {}
    log.upsert(
        [
            event("e-1", source="/orgs/acme/bots/b", seq=1, **{"subject": None, **subject}),
            event("e-2", source="/orgs/acme/bots/b", seq=2, subject="another"),
        ]
    )
    with open_site(log=log) as site:
        listed = site.get("/sessions").text
        path = f"/sessions/acme/{segment(name)}"
        assert f'href="{path}"' in listed
        page, document, events = site.get(path), site.get(f"/api/v1{path}").json(), site.get(f"/api/v1{path}/events")
        journey = site.get(f"/api/v1{path}/events/e-1")

    assert page.status == 200
    assert (document["summary"]["session"], document["summary"]["events"]) == (name, 1)
    assert [row["id"] for row in events.json()["rows"]] == ["e-1"]
    assert journey.json()["session"] == name


def test_events_of_no_session_are_named_and_cannot_be_erased_as_one() -> None:
    log = MemoryEventLog(FakeClock())
    log.upsert([event("e-1", source="/orgs/acme/bots/b", subject=None)])
    with open_site(log=log) as site:
        listed, page = site.get("/sessions").text, site.get("/sessions/acme/~")
        erasing = site.post("/sessions/acme/~/erase", {"confirm": ""})

    assert "(events of no session)" in listed
    assert "<h1>Events of no session</h1>" in page.text
    assert "Erase this session" not in page.text
    assert erasing.status == 404


def test_sign_in_leads_back_to_the_path_as_it_was_sent() -> None:
    with open_site(viewer=None) as site:
        sent = site.get("/sessions/acme/a%2Fb?view=log")

    assert sent.headers["location"] == "/sign-in?next=%2Fsessions%2Facme%2Fa%252Fb%3Fview%3Dlog"
