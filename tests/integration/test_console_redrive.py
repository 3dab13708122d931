"""Redrives from the console on a real Kafka: planned, put back by its POST, delivered by a worker; cancelled; twice."""

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib import request
from urllib.error import HTTPError

import pytest

from headrace import app, console_app
from headrace.model.record import TopicPartition
from headrace.model.units import Duration
from headrace.testing.faults import FaultPlan, Match, Results, always
from headrace.testing.simulated_org import SimulatedOrg
from outsider import produce, record
from river import River, Settings, until

SETTINGS: Settings = {"routes": {"*": ["crm"]}, "retry": {"tiers": ["1s"]}}
REFUSES = Results(rejected=Match())


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        running.keep(10_000)
        yield running


class Console:
    """Asks a console that is served, as a program and as a browser do."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str) -> Any:
        with request.urlopen(f"{self._url}/api/v1{path}", timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, object]) -> Any:
        asked = request.Request(
            f"{self._url}/api/v1{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)

    def dead(self, state: str = "open") -> int:
        count: int = self.get(f"/dead?state={state}")["pivot"]["total"]
        return count

    def ended(self, id_: str) -> dict[str, Any]:
        job: dict[str, Any] = {}

        def has_ended() -> bool:
            job.update(self.get(f"/jobs/{id_}")["job"])
            return job["state"] not in {"waiting", "running"}

        until(has_ended, "the job has ended", 60, tell=lambda: str(job))
        return job


@contextmanager
def console(river: River) -> Iterator[Console]:
    with console_app.console(river.config, port=0) as served:
        yield Console(served.url)


def on_the_tier(river: River) -> list[str]:
    """Return the ids of all that was ever put on the first tier."""
    topic, found = river.config.names.retry(Duration(1)), []
    with closing(app.broker(river.config).reader()) as reader:
        for partition, (start, stop) in reader.bounds(topic).items():
            found += [
                json.loads(each.value() or b"")["id"]
                for each in reader.read(TopicPartition(topic, partition), start, stop)
            ]
    return found


def test_dead_letters_are_planned_redriven_by_the_console_and_delivered(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg
) -> None:
    for org in ("acme", "globex"):
        orgs.plan(org, always(REFUSES))
    with River(tmp_path, kafka, orgs, SETTINGS) as river, console(river) as asked:
        river.start_worker()
        produce(kafka, river.config.names.events, [record(org) for org in ("acme", "globex") for _ in range(20)])
        river.settled(events=40, within=60)
        until(lambda: asked.dead() == 40, "the console knows the letters", 10)
        letter = asked.get("/dead?org=acme")["letters"]["rows"][0]
        place = f"/dead/{letter['partition']}/{letter['offset']}"
        assert (letter["reason"], letter["destination"], letter["attempts"]) == ("rejected", "crm", 1)

        orgs.plan("acme", FaultPlan())
        job = asked.ended(asked.post(f"{place}/redrive", {})["id"])
        assert (job["state"], job["redriven"]) == ("done", 1)
        until(lambda: orgs.ledger("acme").distinct == 1, "one letter is delivered", 30)
        assert asked.get(place)["letter"]["state"] == "redriven"

        plan = asked.get("/dead/plan?org=acme&rate=1000")
        assert (plan["total"], plan["orgs"]) == (19, [{"name": "acme", "count": 19}])
        job = asked.ended(asked.post("/jobs", {"org": "acme", "rate": 1000, "until": plan["until"]})["id"])
        assert (job["state"], job["redriven"], job["records"], job["skipped"]) == ("done", 19, 19, 0)
        until(lambda: orgs.ledger("acme").distinct == 20, "all of them are delivered", 30)

        books = river.settled(events=40, within=30)
        assert (books.delivered, books.rejected, books.duplicates, books.lost) == (20, 20, 0, 0)
        assert (asked.dead(), asked.dead("redriven")) == (20, 20)
        deeds = asked.get("/trail?org=acme")["rows"]
        assert sorted((deed["action"], deed["result"]) for deed in deeds) == [
            ("redrive", "done"), ("redrive-job", "done"), ("redrive-job", "done"),
        ]  # fmt: skip
        assert river.run("dead", "redrive", "--org", "acme", "--json").stdout.count('"redriven":0') == 1
        assert river.stop() == [0]


def test_a_redrive_is_cancelled_and_two_at_once_put_nothing_back_twice(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg
) -> None:
    orgs.plan("acme", always(REFUSES))
    with River(tmp_path, kafka, orgs, SETTINGS) as river:
        river.start_worker()
        produce(kafka, river.config.names.events, [record("acme") for _ in range(80)])
        river.settled(events=80, within=60)
        assert river.stop() == [0]
        with console(river) as asked:
            until(lambda: asked.dead() == 80, "the console knows the letters", 10)

            slow = asked.post("/jobs", {"rate": 4})["id"]
            until(lambda: asked.get(f"/jobs/{slow}")["job"]["handled"] >= 4, "some are put back", 20)
            asked.post(f"/jobs/{slow}/cancel", {})
            cut = asked.ended(slow)
            assert cut["state"] == "cancelled"
            assert len(on_the_tier(river)) == cut["redriven"] == 80 - asked.dead() < 80

            both = [asked.post("/jobs", {"rate": 10}) for _ in range(2)]
            jobs = [asked.ended(each["id"]) for each in both]
            assert {job["state"] for job in jobs} == {"done"}
            assert sum(job["redriven"] for job in jobs) == 80 - cut["redriven"]

        with console(river) as after:  # what the first one noted, the second one finds in Kafka
            until(lambda: after.get("/dead?state=redriven")["memory"]["as_of"] is not None, "it has read", 20)
            assert (after.dead(), after.dead("redriven")) == (0, 80)
            assert after.get(f"/jobs/{slow}")["job"]["state"] == "cancelled"
            with pytest.raises(HTTPError, match="400"):
                after.post("/jobs", {})
        assert len(set(on_the_tier(river))) == len(on_the_tier(river)) == 80


def test_the_live_tail_streams_what_is_emitted_and_ends_with_the_console(
    tmp_path: Path, kafka: str, orgs: SimulatedOrg
) -> None:
    with River(tmp_path, kafka, orgs, SETTINGS) as river:
        served = console_app.console(river.config, port=0)
        with served, request.urlopen(f"{served.url}/tail/stream?org=acme", timeout=20) as stream:
            assert stream.readline().startswith(b"retry:")
            produce(kafka, river.config.names.events, [record("globex"), record("acme", "s-7")])
            lines = iter(stream.readline, b"")
            update = json.loads(next(line for line in lines if line.startswith(b"data:")).removeprefix(b"data: "))
            assert [(row["org"], row["session"]) for row in update["rows"]] == [("acme", "s-7")]
            began = time.monotonic()
            served.__exit__(None, None, None)
            assert time.monotonic() - began < 4, "nobody waits for a stream"
            assert b"".join(lines).strip() == b""
