"""What every request must be like, and what every answer has, whatever it is about."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
import structlog

from headrace.console.access.open_access import OpenAccess
from headrace.console.sources import Sources
from headrace.console.view import Action, View
from headrace.console.viewer import Viewer
from headrace.console.web.guard import HEADERS, MOST_BODY, MOST_QUERY, host_of, is_loopback, serves
from headrace.errors import BrokerError, StoreError
from unit.console.asking_client import Asking, open_site

SECRET_WORDS = "my card is 4929 0000 0000 6"


class NoteAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be noted."""

    text: str = ""
    number: int = 0


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """What was noted."""

    text: str


def note(ask: NoteAsk, sources: Sources, by: Viewer) -> Noted:
    return Noted(text=ask.text)


def fail(ask: NoteAsk, sources: Sources) -> Noted:
    match ask.text:
        case "store":
            raise StoreError("the event log at /var/lib/headrace is full")
        case "broker":
            raise BrokerError("kafka-1.internal does not answer")
    try:
        return Noted(text=str(1 / int(ask.text)))
    except ZeroDivisionError:
        raise KeyError(SECRET_WORDS) from None


NOTE = Action(
    name="note", path="/note", title="Note", ask=NoteAsk, answer=Noted, do=note, audience="org", noted=False,
    back=lambda ask, done: "/there",
)  # fmt: skip
FAIL = View(name="problem", path="/note", title="Note", ask=NoteAsk, answer=Noted, read=fail)


@pytest.fixture
def site() -> Iterator[Asking]:
    with open_site(views=[FAIL], actions=[NOTE]) as client:
        yield client


@pytest.mark.parametrize("path", ["/note?text=1", "/api/v1/note?text=1", "/nowhere", "/api/v1/nowhere", "/static/no"])
def test_every_answer_forbids_what_markup_could_do(site: Asking, path: str) -> None:
    headers = site.get(path).headers
    for name, value in HEADERS.items():
        assert headers[name.lower()] == value
    assert headers["cache-control"] == "no-store"


def test_only_what_is_there_is_kept_for_ever(site: Asking) -> None:
    assert "immutable" in site.get("/static/icon.svg?v=1").headers["cache-control"]
    assert site.get("/static/icon.svg").headers["cache-control"] == "no-store"
    assert site.get("/static/gone.svg?v=1").headers["cache-control"] == "no-store"


FORGED = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8400"},
    {"origin": "http://evil.example"},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": "null"},
]


@pytest.mark.parametrize("headers", FORGED, ids=str)
@pytest.mark.parametrize("path", ["/note", "/api/v1/note", "/sign-in", "/sign-out", "/nowhere"])
def test_what_another_site_sends_is_refused(site: Asking, path: str, headers: Mapping[str, str]) -> None:
    """Whether or not it is something that can be done, and before anybody asks who it is."""
    assert site.ask("POST", path, headers, b"text=x").status == 403


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": "http://127.0.0.1:8400"}, {}]
)
def test_what_the_console_itself_or_a_program_sends_is_done(site: Asking, headers: dict[str, str]) -> None:
    json = headers | {"content-type": "application/json"}
    assert site.ask("POST", "/api/v1/note", json, b'{"text":"a"}').json() == {"text": "a"}


def test_a_form_of_text_does_not_pass_for_a_program(site: Asking) -> None:
    for headers in ({"content-type": "text/plain"}, {"content-type": "application/x-www-form-urlencoded"}, {}):
        refused = site.ask("POST", "/api/v1/note", headers, b'{"text":"a"}')
        assert (refused.status, refused.headers["content-type"]) == (415, "application/problem+json")
    assert site.ask("POST", "/note", {"content-type": "application/json"}, b'{"text":"a"}').status == 415


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8400", "127.0.0.1.evil.example", "", "[::1", "10.0.0.7"]
)
def test_without_a_sign_in_only_this_machine_s_names_are_answered(host: str) -> None:
    """A name that was bound anew to 127.0.0.1 would let any page read everything (DNS rebinding)."""
    with open_site(views=[FAIL], access=OpenAccess()) as client:
        for path in ("/note?text=1", "/api/v1/note?text=1", "/static/icon.svg", "/nowhere"):
            answered = client.get(path, {"host": host})
            assert answered.status == 421
            assert "<nav" not in answered.text


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8400", "localhost:8400", "LOCALHOST", "[::1]:8400", "127.9.9.9"]
)
def test_without_a_sign_in_every_name_of_this_machine_is_answered(host: str) -> None:
    with open_site(views=[FAIL], access=OpenAccess()) as client:
        assert client.get("/api/v1/note?text=1", {"host": host}).status == 200


def test_names_of_the_configuration_are_answered() -> None:
    open_to_all = serves(["console.example."], open_to_all=True)
    assert open_to_all("console.example")
    assert not open_to_all("10.0.0.7")
    signed = serves(["Console.Example"], open_to_all=False)
    assert signed("console.example")
    assert signed("10.0.0.7"), "a probe that asks by address"
    assert not signed("evil.example")
    assert serves([], open_to_all=False)("any.example")


def test_hosts_are_read_as_browsers_write_them() -> None:
    assert [host_of(each) for each in ("A.example:80", "a.example.", "[::1]:1", "x@y", "a b", "")] == [
        "a.example", "a.example", "::1", "y", "a b", "",
    ]  # fmt: skip
    assert [is_loopback(each) for each in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "localhost.evil.example")] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_a_body_has_a_limit_however_its_length_is_told(site: Asking) -> None:
    large = b'{"text":"' + b"a" * MOST_BODY + b'"}'
    for path, content in (("/note", "application/x-www-form-urlencoded"), ("/api/v1/note", "application/json")):
        for length in (str(len(large)), "10", "-1", "a", "9" * 40):
            headers = {"content-type": content, "content-length": length}
            assert site.ask("POST", path, headers, large).status == 413


def test_a_query_has_a_limit(site: Asking) -> None:
    assert site.get("/note?text=1&" + "a" * MOST_QUERY).status == 414


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"--y\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\na\r\n--x--',
        ),
        ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % each for each in range(60))),
        ("application/x-www-form-urlencoded", b"other=1"),
        ("application/x-www-form-urlencoded", b"number=one"),
        ("application/x-www-form-urlencoded", b"text=%00"),
    ],
)
def test_a_form_that_is_none_is_refused_with_a_sentence(site: Asking, content: str, body: bytes) -> None:
    refused = site.ask("POST", "/note", {"content-type": content}, body)
    assert refused.status == 400
    assert "<h1>Bad Request</h1>" in refused.text


@pytest.mark.parametrize(
    "body", [b"[]", b"1", b"{", b"\xff", b'{"text":1}', b'{"org":[]}', b"[" * 60_000, b'{"text":"\\ud800"}']
)
def test_a_body_that_is_none_is_refused_with_a_sentence(site: Asking, body: bytes) -> None:
    refused = site.ask("POST", "/api/v1/note", {"content-type": "application/json"}, body)
    assert (refused.status, refused.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("path", ["/note", "/api/v1/note"])
def test_what_nobody_expected_is_said_without_a_word_of_it(site: Asking, path: str) -> None:
    with structlog.testing.capture_logs() as lines:
        answered = site.get(f"{path}?text=0")

    assert answered.status == 500
    [line] = lines
    assert line["reference"] in answered.text
    assert line["error"] == "KeyError from ZeroDivisionError"
    assert line["at"][-1].endswith(" fail")
    for text in (answered.text, str(line)):
        assert "4929" not in text
        assert "olga" not in text
    assert answered.headers["content-security-policy"]


@pytest.mark.parametrize("text", ["store", "broker"])
def test_only_operators_hear_what_is_wrong_with_a_store(text: str) -> None:
    with open_site(views=[FAIL]) as client:
        told = client.get(f"/api/v1/note?text={text}")
    with open_site(views=[FAIL], viewer=Viewer("ada", "acme")) as client:
        untold = client.get(f"/api/v1/note?text={text}")
    assert told.status == untold.status == 503
    assert "/var/lib" in told.text or "kafka-1" in told.text
    assert untold.json()["detail"] == "this cannot be answered now; try again in a moment"


def test_a_method_that_there_is_not_is_answered_with_those_that_there_are(site: Asking) -> None:
    for path in ("/note", "/api/v1/note"):
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
            answered = site.ask(method, path)
            assert (answered.status, answered.headers["allow"]) == (405, "GET, HEAD, POST")
    assert site.ask("HEAD", "/api/v1/note?text=1").status == 200


def test_a_broken_template_still_gets_an_answer() -> None:
    """Even the page that says so can fail."""

    def read(ask: NoteAsk, sources: Sources) -> Any:
        return None

    view = msgspec.structs.replace(FAIL, name="no_such_template", read=read)
    with open_site(views=[view]) as client, structlog.testing.capture_logs() as lines:
        assert client.get("/note").status == 500
    assert lines[0]["error"].startswith("TemplateNotFound")
