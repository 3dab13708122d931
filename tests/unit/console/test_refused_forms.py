"""A form that is refused is shown again: why, and what was typed. A program gets a problem, as ever."""

import pytest

from headrace.console.dead.book import LetterBook
from headrace.console.viewer import Viewer
from headrace.console.views.every import ACTIONS, VIEWS
from unit.console.asking_client import open_site
from unit.console.burying import letter
from unit.console.test_pausing import KNOWN
from unit.console.two_orgs import TwoOrgs


def test_every_form_stands_on_a_page() -> None:
    pages = {view.name for view in VIEWS if view.has_page}

    assert {action.form for action in ACTIONS} <= pages


def test_a_pause_that_is_refused_keeps_its_reason() -> None:
    why = "x" * 199 + '"><b>'
    with open_site(known=KNOWN) as site:
        page = site.post("/destinations/crm/pause", {"why": why})
        shared = site.post("/destinations/log/pause", {"org": "acme", "why": "it moves"})

    assert page.status == 400
    assert "Nothing was done." in page.text
    assert "why: expected `str` of length &lt;= 200" in page.text
    assert f'name="why" maxlength="200" value="{"x" * 199}&#34;&gt;&lt;b&gt;"' in page.text
    assert page.text.count("<h1>crm") == 1
    assert "paused for all of them only" in shared.text
    assert 'value="it moves"' in shared.text


def test_a_redrive_at_a_rate_that_cannot_be_is_planned_again() -> None:
    book = LetterBook()
    book.add([letter(0)], {0: 0})
    with open_site(letters=book) as site:
        page = site.post("/jobs", {"org": "acme", "rate": "many", "reason": "rejected"})
        document = site.post("/api/v1/jobs", json={"org": "acme", "rate": "many"})

    assert (page.status, document.status) == (400, 400)
    assert document.json()["detail"] == "rate: expected `float`, got `str`"
    assert "rate: expected `float`, got `str`" in page.text
    assert 'name="rate" type="number"' in page.text
    assert 'value="many"' in page.text
    assert 'name="org" value="acme"' in page.text, "the plan is still that of the org"


def test_an_erasure_with_another_name_says_so_where_it_was_typed() -> None:
    orgs = TwoOrgs()
    with orgs.site(Viewer("olga")) as site:
        page = site.post("/sessions/acme/session-of-acme/erase", {"confirm": "another"})

    assert page.status == 400
    assert "the name that was typed is another one" in page.text
    assert 'name="confirm" value="another"' in page.text


@pytest.mark.parametrize("path", ["/destinations/nowhere/pause", "/sessions/globex/session-of-globex/erase"])
def test_what_is_not_there_or_not_theirs_is_told_alike_and_shows_no_form(path: str) -> None:
    orgs = TwoOrgs()
    with orgs.site(Viewer("ada", "acme")) as site:
        page = site.post(path, {"confirm": "another"})

    assert (page.status, "<form class=" in page.text) == (404, False)
    assert "canary-of-globex" not in page.text
