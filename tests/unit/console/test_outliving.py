"""The pages that an operator opens when the event log is down: told from memory, and they say what is missing."""

import threading
from typing import Any

import pytest

from headrace.console.links import link
from headrace.console.view import View
from headrace.console.viewer import Viewer
from headrace.console.views.every import VIEWS
from headrace.console.web import outliving
from headrace.console.web.answers import API
from headrace.errors import StoreError
from unit.console.asking_client import OPERATOR
from unit.console.test_access import given
from unit.console.test_desk import ANN, STUCK, Gone, untouched
from unit.console.two_orgs import TwoOrgs

OUTLIVING = [each for each in VIEWS if each.outlives_log]


class Hanging(Gone):
    """An event log that does not answer until it is *released*."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def __getattr__(self, name: str) -> Any:
        def hang(*_: object) -> None:
            self.released.wait(STUCK)
            raise StoreError(f"{name} took too long")

        return hang


@pytest.fixture(scope="module")
def stores() -> TwoOrgs:
    return TwoOrgs()


def test_what_an_operator_opens_first_outlives_the_event_log() -> None:
    names = {"overview", "destinations", "destination", "orgs", "org", "jobs", "job"}
    assert {each.name for each in VIEWS if each.outlives_log or each.needs == "memory"} >= names


@pytest.mark.parametrize("viewer", [OPERATOR, ANN], ids=["operator", "viewer"])
@pytest.mark.parametrize("view", OUTLIVING, ids=lambda view: view.name)
def test_such_a_view_is_told_without_the_log_and_says_what_is_missing(
    stores: TwoOrgs, view: View, viewer: Viewer
) -> None:
    values = given(view, stores.names("acme"))
    for opened in untouched(stores, viewer, Gone()):
        page, document = opened.get(link(view.path, values)), opened.get(API + link(view.path, values))

    if not viewer.is_operator and view.audience == "operator":
        assert (page.status, document.status) == (404, 404)
        return
    assert (page.status, document.status) == (200, 200), page.text
    if view.name == "job":
        return  # one of this console's own: nothing is missing
    trouble = document.json()["log_trouble"]
    assert ("was asked for" in trouble) is viewer.is_operator, "what the store said is for operators"
    assert trouble
    assert "The event log does not answer, so " in page.text
    for untrue in ("Nothing threw", "No org has trouble", "No session of this org", "Nothing has been counted yet"):
        assert untrue not in page.text


def test_a_log_that_hangs_is_not_waited_for_long(stores: TwoOrgs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outliving, "WITHOUT_LOG_AFTER", 0.02)
    log = Hanging()
    for opened in untouched(stores, OPERATOR, log):
        for _ in range(5):  # more than there are threads
            answered = opened.get(f"{API}/")
            assert answered.status == 200
            assert "took longer than 0.02 s" in answered.json()["log_trouble"]
            assert answered.json()["books"]["accepted"] > 0
        log.released.set()


def test_a_job_that_only_the_log_may_know_is_not_said_to_be_absent(stores: TwoOrgs) -> None:
    for opened in untouched(stores, OPERATOR, Gone()):
        assert opened.get("/jobs/another-console-s").status == 503


def test_with_its_log_a_view_has_no_trouble(stores: TwoOrgs) -> None:
    with stores.site(OPERATOR) as opened:
        for view in OUTLIVING:
            answered = opened.get(API + link(view.path, given(view, stores.names("acme"))))
            assert answered.json()["log_trouble"] == ""
