"""Status: the checks of doctor in four words, what runs in the background, and no secret."""

import pytest

from headrace.console.chores import Pulse
from headrace.console.sources import Facts
from headrace.console.viewer import Viewer
from headrace.console.views.status import State, check_of
from headrace.console.watching.findings import Checking, Findings
from headrace.model.finding import Finding
from headrace.model.secret import Secret
from headrace.settings.pages import Shown, as_written
from headrace.testing.clock import FakeClock
from unit.console.asking_client import NOW, open_site
from unit.console.watched_river import known

WELL = Finding(check="event log", state="well", says="it opens")
WRONG = Finding(check="kafka", state="wrong", says="nobody answers", mend="headrace kafka start")
HALTED = Finding(check="topics", state="halted", says="Kafka has to answer first")
HINT = Finding(check="journal", state="well", says="it holds 3 KiB", mend="headrace emit /dev/null")


@pytest.mark.parametrize(
    ("finding", "state"), [(WELL, "success"), (WRONG, "failure"), (HALTED, "halted"), (HINT, "warning")]
)
def test_what_a_check_found_is_one_of_four_words(finding: Finding, state: State) -> None:
    assert check_of(finding).state == state


def test_status_needs_neither_kafka_nor_checks_that_were_made() -> None:
    with open_site(known=known()) as site:
        page, document = site.get("/status"), site.get("/api/v1/status").json()

    assert page.status == 200
    assert (document["state"], document["checked_at"]) == ("halted", None)
    assert "for the first time" in page.text


def test_the_worst_check_is_the_state_of_all_and_its_way_out_is_shown() -> None:
    found = Findings(at=NOW, found=[WELL, WRONG, HALTED, HINT])
    with open_site(known=known(), findings=lambda: found) as site:
        page, document = site.get("/status"), site.get("/api/v1/status").json()

    assert document["state"] == "failure"
    assert "headrace kafka start" in page.text


def test_a_chore_that_fails_is_a_failure() -> None:
    pulse = Pulse(name="keeper", does="counts", failed_at=NOW, failure="the disk is full")
    with open_site(known=known(), findings=lambda: Findings(at=NOW, found=[WELL]), pulses=lambda: [pulse]) as site:
        page, document = site.get("/status"), site.get("/api/v1/status").json()

    assert document["state"] == "failure"
    assert "the disk is full" in page.text


def test_the_configuration_is_shown_without_its_secrets() -> None:
    settings = {
        "kafka.sasl_password": Shown(as_written(Secret("hunter2")), "KAFKA"),
        "topics.partitions": Shown(12, "default"),
    }
    facts = Facts(**{name: getattr(known(), name) for name in Facts.__struct_fields__} | {"settings": settings})
    with open_site(known=facts) as site:
        page, document = site.get("/status"), site.get("/api/v1/status").json()

    assert document["settings"] == [
        {"key": "kafka.sasl_password", "value": "***", "origin": "KAFKA"},
        {"key": "topics.partitions", "value": "12", "origin": "default"},
    ]
    assert "hunter2" not in page.text


def test_status_is_for_operators() -> None:
    with open_site(known=known(), viewer=Viewer("vera", "a")) as site:
        assert site.get("/status").status == 404


def test_checks_are_those_that_were_made_last() -> None:
    found = [[WELL], [WRONG]]
    checking = Checking(lambda: found.pop(0), FakeClock())
    assert checking.latest().at is None

    checking.step()
    checking.step()

    assert (checking.latest().at, checking.latest().found) == (NOW, [WRONG])
