"""Pausing a destination from the console."""

import msgspec

from headrace.broker.memory import MemoryBroker
from headrace.console.viewer import Viewer
from headrace.control.pauses import Pauses
from headrace.model.destination import Destination
from headrace.testing.clock import FakeClock
from unit.console.asking_client import facts, open_site

KNOWN = facts(
    {
        "crm": Destination(name="crm", type="http", settings=msgspec.Struct()),
        "log": Destination(name="log", type="eventlog", settings=msgspec.Struct(), shared=True),
    }
)


def test_a_pause_is_written_and_taken_back() -> None:
    clock = FakeClock()
    broker = MemoryBroker(clock)
    told = Pauses(broker.reader, KNOWN.names, clock)
    with open_site(known=KNOWN, clock=clock, broker=broker) as site:
        answered = site.post("/api/v1/destinations/crm/pause", json={"org": "acme", "why": "it moves"})
        assert answered.json()["org"] == "acme"
        (pause,) = told.look().values()
        assert (pause.name, pause.why, pause.at) == ("crm/acme", "it moves", clock.wall())
        assert pause.by, "who did it"

        gone = site.post("/destinations/crm/resume", {"org": "acme"})
        assert (gone.status, gone.headers["location"]) == (303, "/destinations/crm")
        assert told.look() == {}


def test_what_is_one_lane_for_all_orgs_cannot_be_paused_for_one() -> None:
    with open_site(known=KNOWN) as site:
        refused = site.post("/api/v1/destinations/log/pause", json={"org": "acme"})
        unknown = site.post("/api/v1/destinations/nowhere/pause", json={})
    assert (refused.status, unknown.status) == (400, 404)
    assert "all of them" in refused.json()["detail"]


def test_an_org_viewer_pauses_nothing() -> None:
    with open_site(known=KNOWN, viewer=Viewer("eve", "acme")) as site:
        assert site.post("/api/v1/destinations/crm/pause", json={"org": "acme"}).status == 404
