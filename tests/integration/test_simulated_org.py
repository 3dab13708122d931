"""The simulated org itself: it must be right about what it took, or every test that believes it is wrong."""

import asyncio
import socket
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from headrace.model.outcome import AllDelivered, Answer, Busy, TooLarge
from headrace.sinks.http import HttpSink
from headrace.sinks.http_settings import HttpSettings
from headrace.testing.faults import Cut, FaultPlan, Hang, Match, Phase, Refuses, Slow, Status, TooLargeAbove, always
from headrace.testing.simulated_org import SimulatedOrg
from headrace.testing.sink_contract import batch_of, value


def post(orgs: SimulatedOrg, *names: str, posts: int = 1, timeout: float = 5.0) -> Sequence[Answer]:
    async def scenario() -> Sequence[Answer]:
        sink = HttpSink(HttpSettings(url=orgs.url), timeout=timeout)
        try:
            return [await sink.write(batch_of(*map(value, names))) for _ in range(posts)]
        finally:
            await sink.aclose()

    return asyncio.run(scenario())


@pytest.mark.parametrize("process", [False, True])
def test_it_keeps_books_in_a_thread_and_in_a_process(*, process: bool) -> None:
    with SimulatedOrg(process=process) as orgs:
        post(orgs, "a", "b", posts=2)

        (written,) = orgs.ledgers().values()
        assert (written.requests, written.received, written.distinct, written.duplicates) == (2, 4, 2, 2)
        assert written.answers == {"200": 2}


def test_it_stops_listening_when_it_is_left() -> None:
    with SimulatedOrg(process=True) as orgs:
        port = urlsplit(orgs.base).port

    with socket.socket() as free:
        free.bind(("127.0.0.1", port))


@pytest.mark.parametrize("process", [False, True])
def test_a_port_that_is_taken_is_said(*, process: bool) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError), SimulatedOrg(port=taken.getsockname()[1], process=process):
            pass


def test_a_plan_of_its_own_replaces_that_of_every_org() -> None:
    with SimulatedOrg() as orgs:
        orgs.plan("*", always(Status(status=503)))
        assert isinstance(post(orgs, "a")[0], Busy)

        orgs.plan("acme", FaultPlan())
        assert post(orgs, "a") == [AllDelivered()]


def test_a_fault_ends_by_itself() -> None:
    with SimulatedOrg() as orgs:
        orgs.plan("acme", FaultPlan((Phase(fault=Status(status=503), stop=0.3),)))

        assert isinstance(post(orgs, "a")[0], Busy)
        time.sleep(0.35)
        assert post(orgs, "a") == [AllDelivered()]


@pytest.mark.parametrize(("fault", "taken"), [(Cut(at="request"), 0), (Cut(at="applied"), 2), (Cut(at="answer"), 2)])
def test_a_cut_before_the_body_takes_nothing_and_one_after_it_everything(fault: Cut, taken: int) -> None:
    with SimulatedOrg() as orgs:
        orgs.plan("acme", always(fault))

        post(orgs, "a", "b")

        assert orgs.ledger("acme").distinct == taken
        assert orgs.ledger("acme").answers == {"cut": 1}


@pytest.mark.parametrize("applied", [True, False])
def test_a_hanging_org_takes_events_when_told_to(*, applied: bool) -> None:
    with SimulatedOrg() as orgs:
        orgs.plan("acme", always(Hang(applied=applied)))

        post(orgs, "a", timeout=0.1)

        assert orgs.ledger("acme").distinct == applied


def test_a_slow_org_takes_its_time() -> None:
    with SimulatedOrg() as orgs:
        orgs.plan("acme", always(Slow(seconds=0.2)))

        assert isinstance(post(orgs, "a", timeout=0.1)[0], Busy)
        assert post(orgs, "a", timeout=5) == [AllDelivered()]


def test_an_opaque_refusal_takes_nothing_and_remembers_the_bad_events() -> None:
    with SimulatedOrg() as orgs:
        orgs.plan("acme", always(Refuses(match=Match(text='"id":"bad"'))))

        post(orgs, "good", "bad")
        assert orgs.ledger("acme").distinct == 0

        post(orgs, "good")
        written = orgs.ledger("acme", ids=1)
        assert [taken.id for taken in written.taken] == ["good"]
        assert written.refused_ids == [("/orgs/acme/bots/helpdesk", "bad")]


@pytest.mark.parametrize("limit", [TooLargeAbove(events=1), TooLargeAbove(bytes=300)])
def test_a_batch_can_be_too_large(limit: TooLargeAbove) -> None:
    with SimulatedOrg() as orgs:
        orgs.plan("acme", always(limit))

        assert isinstance(post(orgs, "a", "b")[0], TooLarge)
        assert post(orgs, "a") == [AllDelivered()]
        assert orgs.ledger("acme").distinct == 1


def test_counting_is_right_about_numbers() -> None:
    with SimulatedOrg(count=True) as orgs:
        post(orgs, "a", "b", "c", posts=2)
        orgs.plan("acme", always(Status(status=503)))
        post(orgs, "a")

        written = orgs.ledger("acme")
        assert (written.requests, written.distinct) == (3, 6)
        assert written.latency.count == 2


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"[]"),
        ("application/cloudevents-batch+json", b"{}"),
        ("application/cloudevents-batch+json", b"[{}]"),
        ("application/cloudevents-batch+json", b"[1"),
    ],
)
def test_what_is_no_batch_is_turned_away(content_type: str, body: bytes) -> None:
    with SimulatedOrg() as orgs:
        connection = HTTPConnection(urlsplit(orgs.base).netloc)
        connection.request("POST", "/orgs/acme/events", body, {"Content-Type": content_type})
        status = connection.getresponse().status
        connection.close()

        assert status == 415
        assert orgs.ledger("acme").distinct == 0
