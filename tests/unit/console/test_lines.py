"""Rows of a view as lines of JSON: all of them, to a limit, and to nobody else than the pages."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from headrace.console.viewer import Viewer
from headrace.console.web import lines
from headrace.errors import StoreError
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.pages import Page
from headrace.eventlog.port import EventQuery, StoredEvent
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import event
from unit.console.asking_client import Answered, open_site
from unit.console.two_orgs import TwoOrgs

EVENTS = "/api/v1/sessions/acme/s-1/events"


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PORTION", 3)


def talked(events: int) -> MemoryEventLog:
    log = MemoryEventLog(FakeClock())
    own = {"source": "/orgs/acme/bots/b", "subject": "s-1"}
    log.upsert([event(f"e-{number}", type="bot.turn.started", seq=number, **own) for number in range(events)])
    return log


def read(answered: Answered) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the rows, and the last line."""
    *rows, end = [msgspec.json.decode(line) for line in answered.body.splitlines()]
    return rows, end


def test_all_of_a_session_comes_as_lines_in_its_order() -> None:
    with open_site(log=talked(10)) as site:
        answered, document = site.get(f"{EVENTS}.ndjson"), site.get(EVENTS).json()

    rows, end = read(answered)
    assert answered.headers["content-type"] == "application/x-ndjson"
    assert rows == document["rows"]
    assert len(rows) == 10
    assert end == {"next": None, "problem": None}


def test_limit_ends_it_and_its_last_line_goes_on() -> None:
    with open_site(log=talked(10)) as site:
        rows, end = read(site.get(f"{EVENTS}.ndjson?limit=7"))
        others, last = read(site.get(f"{EVENTS}.ndjson?after={end['next']}"))

    assert [row["id"] for row in rows + others] == [f"e-{number}" for number in range(10)]
    assert (len(rows), last["next"]) == (7, None)


@pytest.mark.parametrize("limit", ["0", "100001", "many"])
def test_limit_that_cannot_be_is_refused(limit: str) -> None:
    with open_site(log=talked(1)) as site:
        refused = site.get(f"{EVENTS}.ndjson?limit={limit}")

    assert (refused.status, refused.json()["detail"].partition(":")[0]) == (400, "limit")


def test_lists_keep_to_their_filters_and_are_linked_from_their_pages() -> None:
    orgs = TwoOrgs()
    with orgs.site(Viewer("olga")) as site:
        sessions, _ = read(site.get("/api/v1/sessions.ndjson?org=globex"))
        dead, _ = read(site.get("/api/v1/dead.ndjson?org=globex&state=all"))
        pages = [site.get(f"{path}?org=globex").text for path in ("/sessions", "/dead")]
        session = site.get("/sessions/globex/session-of-globex").text

    assert [row["session"] for row in sessions] == ["session-of-globex"]
    assert [(row["org"], row["reason"]) for row in dead] == [("globex", "rejected")]
    assert 'href="/api/v1/sessions.ndjson?org=globex"' in pages[0]
    assert 'href="/api/v1/dead.ndjson?org=globex"' in pages[1]
    assert 'href="/api/v1/sessions/globex/session-of-globex/events.ndjson"' in session


def test_viewer_gets_the_lines_of_their_org_and_nothing_of_another() -> None:
    orgs = TwoOrgs()
    with orgs.site(Viewer("ada", "acme")) as site:
        sessions, _ = read(site.get("/api/v1/sessions.ndjson"))
        foreign = site.get("/api/v1/sessions/globex/session-of-globex/events.ndjson")
        absent = site.get("/api/v1/sessions/acme/nothing/events.ndjson")
        list_of_another = site.get("/api/v1/dead.ndjson?org=globex")
    with orgs.site(None) as site:
        unknown = site.get("/api/v1/sessions.ndjson")

    assert [row["org"] for row in sessions] == ["acme"]
    assert foreign.status == 404
    assert foreign == absent == list_of_another
    assert unknown.status == 401


def test_store_that_fails_on_the_way_is_told_in_the_last_line() -> None:
    class Failing(MemoryEventLog):
        def find_events(self, query: EventQuery) -> Page[StoredEvent]:
            if query.after:
                raise StoreError("the disk is full")
            return super().find_events(query)

    log = Failing(FakeClock())
    own = {"source": "/orgs/acme/bots/b", "subject": "s-1"}
    log.upsert([event(f"e-{number}", seq=number, **own) for number in range(5)])
    with open_site(log=log, viewer=Viewer("ada", "acme")) as site:
        rows, end = read(site.get(f"{EVENTS}.ndjson"))

    assert [row["id"] for row in rows] == ["e-0", "e-1", "e-2"]
    assert end["next"], "so that the rest can be asked for"
    assert end["problem"]["status"] == 503
    assert "disk" not in end["problem"]["detail"], "which is an operator's"


def test_first_lines_are_sent_before_the_last_are_read() -> None:
    asked: list[str | None] = []

    class Noting(MemoryEventLog):
        def find_events(self, query: EventQuery) -> Page[StoredEvent]:
            asked.append(query.after)
            return super().find_events(query)

    log = Noting(FakeClock())
    own = {"source": "/orgs/acme/bots/b", "subject": "s-1"}
    values: Sequence[bytes] = [event(f"e-{number}", seq=number, **own) for number in range(30)]
    log.upsert(values)
    with open_site(log=log) as site:
        site.get(f"{EVENTS}.ndjson", until=b"e-2")

    assert len(asked) < 4, "who hung up is not read for"
