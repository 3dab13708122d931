"""A destination that a person pauses, on a real Kafka: no posts, nothing given up, and all of it later."""

import json
from pathlib import Path

from headrace.testing.simulated_org import SimulatedOrg
from outsider import produce, record
from river import River, Settings, until

GIVES_UP = "2s"


def test_a_paused_destination_gets_nothing_gives_nothing_up_and_goes_on(tmp_path: Path, kafka: str) -> None:
    """Also when the worker starts while it is paused; other orgs are not concerned."""
    settings: Settings = {"retry": {"tiers": ["1s", "2s"], "give_up_after": GIVES_UP}, "routes": {"*": ["crm"]}}
    with SimulatedOrg() as orgs, River(tmp_path, kafka, orgs, settings) as river:
        paused = river.run("destinations", "pause", "crm", "--org", "acme", "--why", "it moves", "--json")
        assert paused.returncode == 0, paused.stderr
        assert json.loads(paused.stdout)["why"] == "it moves"
        river.start_worker()
        events = [record(org, f"s-{number % 5}", number=number) for org in ("acme", "ajax") for number in range(50)]
        produce(kafka, river.config.names.events, events)

        until(lambda: orgs.ledger("ajax").distinct == 50, "the other org has its events", 40)
        until(lambda: river.audit().retried > 250, "the paused org's events hopped longer than they may fail", 30)
        during = river.audit()
        assert (orgs.ledger("acme").requests, during.rejected, during.lost) == (0, 0, 0)
        assert during.retrying + during.in_flight == 50
        listed = json.loads(river.run("destinations", "list", "--json").stdout)
        assert [pause["org"] for each in listed for pause in each["pauses"]] == ["acme"]

        assert river.run("destinations", "resume", "crm", "--org", "acme").returncode == 0
        books = river.settled(events=100, within=40)
        assert (books.delivered, books.rejected, books.lost, books.balanced) == (100, 0, 0, True)
        assert orgs.ledger("acme").distinct == 50
        assert river.stop() == [0]
