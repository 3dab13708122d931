"""The HTTP sink against a real server: what goes over the wire, and what it makes of what comes back."""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import msgspec
import pytest
import uvloop
from standardwebhooks import Webhook

from headrace.model.outcome import AllDelivered, Answer, Busy, Delivered, Each, Misconfigured, Rejected, Retryable
from headrace.model.secret import Secret
from headrace.sinks.http import ANSWER_BYTES, HttpSink
from headrace.sinks.http_settings import HttpSettings
from headrace.testing.faults import Cut, FaultPlan, HalfJson, Hang, Match, Refuses, Results, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from headrace.testing.sink_contract import batch_of, value

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
ORG = "acme"
BATCH = batch_of(value("a", text="Ålesund"), value("b"), value("c"))


@pytest.fixture(scope="module")
def running() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as orgs:
        orgs.keep(10)
        yield orgs


@pytest.fixture
def orgs(running: SimulatedOrg) -> SimulatedOrg:
    running.forget()
    running.plan(ORG, FaultPlan())
    return running


def post(settings: HttpSettings, *, posts: int = 1, timeout: float = 5.0) -> list[Answer]:
    async def scenario() -> list[Answer]:
        sink = HttpSink(settings, timeout=timeout)
        try:
            return [await sink.write(BATCH) for _ in range(posts)]
        finally:
            await sink.aclose()

    return uvloop.run(scenario())


def test_a_post_is_a_batch_of_cloudevents(orgs: SimulatedOrg) -> None:
    post(HttpSettings(url=f"{orgs.url}?org={{org}}", headers={"Authorization": Secret("Bearer x")}))

    (request,) = orgs.requests(ORG)
    headers = {name.lower(): text for name, text in request.headers.items()}
    assert request.path == "/orgs/acme/events?org=acme"
    assert request.body == b"[" + b",".join(BATCH.values) + b"]"
    assert headers["content-type"] == "application/cloudevents-batch+json"
    assert headers["content-length"] == str(len(request.body))
    assert headers["authorization"] == "Bearer x"
    assert "webhook-id" not in headers


def test_an_org_is_percent_encoded_in_the_url(orgs: SimulatedOrg) -> None:
    """No valid org needs it; a sink does not rely on who checked it."""

    async def scenario() -> None:
        sink = HttpSink(HttpSettings(url=f"{orgs.base}/orgs/acme/{{org}}/events"), timeout=5)
        await sink.write(msgspec.structs.replace(BATCH, org="../x?y#z%2f é"))
        await sink.aclose()

    uvloop.run(scenario())

    assert orgs.requests(ORG)[0].path == "/orgs/acme/..%2Fx%3Fy%23z%252f%20%C3%A9/events"


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("secret", [OLD, NEW])
def test_a_post_is_signed_over_the_uncompressed_body(orgs: SimulatedOrg, compression: str, secret: str) -> None:
    values = {"url": orgs.url, "compression": compression}
    settings = msgspec.convert(values, HttpSettings)
    post(msgspec.structs.replace(settings, secret=[Secret(NEW), Secret(OLD)]))

    (request,) = orgs.requests(ORG)
    Webhook(secret).verify(request.body, request.headers)


def test_repeated_posts_have_one_id_and_one_connection(orgs: SimulatedOrg) -> None:
    post(HttpSettings(url=orgs.url, secret=[Secret(NEW)]), posts=3)

    requests = orgs.requests(ORG)
    assert len(requests) == 3
    assert len({request.headers["webhook-id"] for request in requests}) == 1
    assert len({request.connection for request in requests}) == 1
    assert orgs.ledger(ORG).duplicates == 6


def test_a_redirect_is_not_followed(orgs: SimulatedOrg) -> None:
    orgs.plan(ORG, always(Status(status=307, location=orgs.url.replace("{org}", "other"))))

    (answer,) = post(HttpSettings(url=orgs.url))

    assert isinstance(answer, Misconfigured)
    assert orgs.ledger("other").requests == 0


@pytest.mark.parametrize("fault", [Cut(at="request"), Cut(at="applied"), Cut(at="answer"), HalfJson()])
def test_a_broken_exchange_is_busy_and_is_not_sent_again(orgs: SimulatedOrg, fault: Cut | HalfJson) -> None:
    """Also on a connection that worked before, where HTTP clients like to try once more by themselves."""
    post(HttpSettings(url=orgs.url))
    orgs.plan(ORG, always(fault))

    answers = post(HttpSettings(url=orgs.url), posts=2)

    assert all(isinstance(answer, Busy) and not answer.timed_out for answer in answers)
    assert orgs.ledger(ORG).requests == 3


def test_retry_after_is_read_from_the_answer(orgs: SimulatedOrg) -> None:
    orgs.plan(ORG, always(Status(status=429, retry_after="30")))

    (answer,) = post(HttpSettings(url=orgs.url))

    assert isinstance(answer, Busy)
    assert answer.retry_after == 30.0


def test_results_are_told_apart_event_by_event(orgs: SimulatedOrg) -> None:
    matched = Results(rejected=Match(text='"id":"a"'), unnamed=Match(text='"id":"c"'), status=207)
    orgs.plan(ORG, always(matched))

    (answer,) = post(HttpSettings(url=orgs.url))

    assert isinstance(answer, Each)
    assert [type(outcome) for outcome in answer.outcomes] == [Rejected, Delivered, Retryable]
    assert orgs.ledger(ORG, ids=1).refused_ids == [("/orgs/acme/bots/helpdesk", "a")]


def test_what_the_destination_says_is_in_the_reason(orgs: SimulatedOrg) -> None:
    orgs.plan(ORG, always(Refuses(match=Match(), status=422)))

    (answer,) = post(HttpSettings(url=orgs.url))

    assert not isinstance(answer, AllDelivered | Each)
    assert answer.reason == "HTTP 422 Unprocessable Entity: some event is not acceptable"


def test_a_time_out_is_kept_to(orgs: SimulatedOrg) -> None:
    orgs.plan(ORG, always(Hang(applied=True)))
    started = time.monotonic()

    (answer,) = post(HttpSettings(url=orgs.url), timeout=0.2)

    assert answer == Busy("no answer in time", timed_out=True)
    assert 0.2 <= time.monotonic() - started < 1.0


def test_a_refused_connection_is_busy() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        (answer,) = post(HttpSettings(url=f"http://127.0.0.1:{unused.getsockname()[1]}/"))

    assert isinstance(answer, Busy)
    assert not answer.timed_out


def test_a_name_that_does_not_exist_is_misconfigured() -> None:
    (answer,) = post(HttpSettings(url="http://nowhere.invalid/in?token=hidden"))

    assert isinstance(answer, Misconfigured)
    assert "hidden" not in answer.reason


def test_proxies_of_the_environment_are_not_trusted(orgs: SimulatedOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    assert post(HttpSettings(url=orgs.url)) == [AllDelivered()]


def test_a_connection_that_was_idle_for_long_is_not_used(orgs: SimulatedOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its server may be closing it just now, and the post would fail through nobody's fault."""
    monkeypatch.setattr("headrace.sinks.http.KEEP_ALIVE", 0.1)

    async def scenario() -> None:
        sink = HttpSink(HttpSettings(url=orgs.url), timeout=5)
        for pause in (0.0, 0.3, 0.0):
            await sink.write(BATCH)
            await asyncio.sleep(pause)
        await sink.aclose()

    uvloop.run(scenario())

    first, second, third = [request.connection for request in orgs.requests(ORG)]
    assert first == second
    assert second != third


Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(answering: Answering) -> AsyncIterator[int]:
    """Serve answers byte by byte, as no HTTP library would."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))[15:])
        await reader.readexactly(length)
        try:
            await answering(reader, writer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def answer_to(sent: bytes, *, timeout: float = 5.0) -> Answer:
    async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)

    async def scenario() -> Answer:
        async with raw_server(answering) as port:
            sink = HttpSink(HttpSettings(url=f"http://127.0.0.1:{port}/secret-path"), timeout=timeout)
            try:
                return await sink.write(BATCH)
            finally:
                await sink.aclose()

    return uvloop.run(scenario())


def whole(status: str, body: bytes, *headers: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"])
    return head.encode() + b"\r\n\r\n" + body


DELIVERED = json.dumps({"results": [{"id": each, "status": "delivered"} for each in "abc"]}).encode()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", Busy),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Busy),
        (b"HTTP/1.1 banana OK\r\n\r\n", Busy),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", Busy),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12", Busy),
        (b"HTTP/1.1 400 No\r\nContent-Length: 5\r\n\r\n12", Busy),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12", Busy),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Busy),
        (b"HTTP/1.0 200 OK\r\n\r\nfine", AllDelivered),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", AllDelivered),
        (b"HTTP/1.1 204 No Content\r\n\r\n", AllDelivered),
        (
            whole("100 Continue", b"")[: -len("Content-Length: 0\r\n\r\n")] + b"\r\n" + whole("200 OK", b""),
            AllDelivered,
        ),
        (whole("200 OK", DELIVERED), Each),
        (whole("200 OK", gzip.compress(DELIVERED), "Content-Encoding: gzip"), Each),
        (whole("200 OK", b"not gzip", "Content-Encoding: gzip"), Busy),
        (whole("200 OK", b"x" * (2 * ANSWER_BYTES)), AllDelivered),
        (whole("200 OK", b'{"pad":"' + b"x" * (2 * ANSWER_BYTES) + b'"}'), Busy),
        (whole("200 OK", gzip.compress(b"{" + b" " * (50 * ANSWER_BYTES)), "Content-Encoding: gzip"), Busy),
        (whole("200 OK", b"{}" + b" " * (2 * ANSWER_BYTES)), Busy),
        (whole("500 Oh", b"x" * (2 * ANSWER_BYTES)), Busy),
        (whole("303 See", b"", "Location: http://127.0.0.1:9/"), Misconfigured),
        (whole("200 OK", b"", "Set-Cookie: a=b"), AllDelivered),
    ],
)
def test_whatever_a_server_sends_is_judged(sent: bytes, expected: type) -> None:
    answer = answer_to(sent)

    assert isinstance(answer, expected)
    if isinstance(answer, Busy):
        assert not answer.timed_out
        assert "secret-path" not in answer.reason


def test_an_answer_without_end_is_cut_off_by_the_time() -> None:
    async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def scenario() -> Answer:
        async with raw_server(answering) as port:
            sink = HttpSink(HttpSettings(url=f"http://127.0.0.1:{port}/"), timeout=0.3)
            try:
                return await sink.write(BATCH)
            finally:
                await sink.aclose()

    assert uvloop.run(scenario()) == Busy("no answer in time", timed_out=True)
