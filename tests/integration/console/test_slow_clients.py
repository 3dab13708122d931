"""Clients that begin and do not finish: their connections end, and nobody else waits for them."""

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection

import pytest

from headrace.console.access.tokens import Signer, claim_of
from headrace.console.web import guard, patience
from headrace.console.web.served import Served
from unit.console.two_orgs import SETTINGS, TwoOrgs

ENOUGH = 20.0
"""Seconds after which a test gives up; what it waits for takes a fraction of one."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(patience, "HEAD_WITHIN", 0.3)
    monkeypatch.setattr(guard, "BODY_WITHIN", 0.3)
    with Served(TwoOrgs().app(SETTINGS), "127.0.0.1", 0) as served:
        yield served.url


def connect(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=ENOUGH)


def ended(connection: socket.socket) -> bool:
    """Wait until the server has closed it, or until the connection's patience ends."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def ask(url: str) -> int:
    with urllib.request.urlopen(f"{url}/sign-in", timeout=ENOUGH) as answer:
        return int(answer.status)


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_head_that_is_not_finished_ends_the_connection(url: str, begun: bytes) -> None:
    with closing(connect(url)) as slow:
        slow.sendall(begun)
        assert ask(url) == 200
        assert ended(slow)
    assert ask(url) == 200


def test_nor_may_the_second_head_of_a_connection_dribble(url: str) -> None:
    with closing(connect(url)) as slow:
        asked = HTTPConnection("127.0.0.1")
        asked.sock = slow
        asked.request("GET", "/sign-in")
        assert asked.getresponse().read()
        slow.sendall(b"GET / HT")
        assert ended(slow)


@pytest.mark.parametrize("more", [[b"c"], [b"c"] * 8], ids=["one byte", "byte after byte"])
@pytest.mark.parametrize("head", [b"GET /sign-in", b"POST /api/v1/jobs"], ids=["200", "401"])
def test_a_body_that_nobody_reads_keeps_no_connection(url: str, head: bytes, more: list[bytes]) -> None:
    with closing(connect(url)) as slow:
        slow.sendall(head + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nab")
        assert slow.recv(4096).startswith(b"HTTP/1.1 ")
        with suppress(OSError):
            for each in more:
                slow.sendall(each)
                time.sleep(0.1)
        assert ended(slow)


def test_a_body_that_does_not_come_is_refused(url: str) -> None:
    with closing(connect(url)) as slow:
        slow.sendall(
            b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 20\r\n\r\nname=a"
        )
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
    assert ask(url) == 200


def test_a_stream_that_is_looked_at_for_long_goes_on(url: str) -> None:
    """Here it is the server that is waited for, and what it was asked had come whole."""
    token = Signer(SETTINGS.secret).sign(claim_of("robot", None, time.time() + 3600))
    with closing(connect(url)) as watching:
        head = f"GET /api/v1/tail/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        watching.sendall(head.encode())
        assert watching.recv(4096).startswith(b"HTTP/1.1 200 ")
        watching.settimeout(0.9)
        assert not ended(watching), "three times as long as a head may take"
