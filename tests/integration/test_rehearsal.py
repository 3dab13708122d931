"""A test send through the real HTTP sink, to a real server: what is told of it, and what never is."""

import base64
from collections.abc import Iterator

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook

from headrace.localkafka.ports import free_ports
from headrace.model.destination import Destination
from headrace.model.exchange import Exchange
from headrace.model.secret import Secret
from headrace.sinks.http import witnessed
from headrace.sinks.http_settings import HttpSettings
from headrace.sinks.rehearsal import SHOWN_BYTES, Notes, rehearse
from headrace.testing.faults import Status, always
from headrace.testing.simulated_org import SimulatedOrg

SIGNING = "whsec_" + base64.b64encode(b"a key of the test's own, 32 bytes").decode()
EVENT = b'{"specversion":"1.0","id":"1","source":"/orgs/acme/bots/b","type":"headrace.test"}'


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        yield running


def send(url: str, value: bytes = EVENT) -> Exchange:
    settings = HttpSettings(
        url=url + "?token=hidden-token",
        secret=[Secret(SIGNING)],
        headers={"Authorization": Secret("Bearer hidden-bearer")},
        compression="gzip",
    )
    destination = Destination(name="crm", type="http", settings=settings)
    notes = Notes()
    sink = witnessed(notes).make(destination, 5.0)
    return rehearse(sink, notes, destination, "acme", "1", value)


def test_request_signature_and_answer_are_told_and_secrets_are_not(orgs: SimulatedOrg) -> None:
    told = send(orgs.url)

    assert (told.outcome, told.status) == ("delivered", 200)
    assert told.ms > 0
    headers = {name.lower(): value for name, value in told.headers}
    assert headers["authorization"] == "***"
    assert Webhook(SIGNING).verify(told.body, headers), "the body that is shown is the one that was signed"
    everything = msgspec.json.encode(told).decode()
    assert not [secret for secret in ("hidden-token", "hidden-bearer", SIGNING) if secret in everything]
    assert orgs.ledger("acme").distinct == 1


def test_refusal_is_told_with_what_the_server_said(orgs: SimulatedOrg) -> None:
    orgs.plan("acme", always(Status(status=422, body="no such field")))

    told = send(orgs.url)

    assert (told.outcome, told.status, told.answer) == ("rejected", 422, "no such field")
    assert "no such field" in told.reason


def test_what_could_not_be_reached_shows_the_request_and_no_answer() -> None:
    told = send(f"http://127.0.0.1:{free_ports()}/x")

    assert (told.outcome, told.status, told.answer) == ("retryable", None, "")
    assert "the connection failed" in told.reason
    assert told.target.startswith("http://127.0.0.1:")
    assert dict(told.headers)["webhook-id"]


def test_long_bodies_are_cut(orgs: SimulatedOrg) -> None:
    told = send(orgs.url, EVENT[:-1] + b',"data":"' + b"x" * 9000 + b'"}')

    assert len(told.body) < SHOWN_BYTES + 40
