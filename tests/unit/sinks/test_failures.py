"""What an exception of the HTTP library means. A kind that nobody thought of fails here, not in a worker."""

import ssl
from collections.abc import Iterator

import aiohttp
import pytest

from headrace.model.outcome import Busy, Misconfigured
from headrace.sinks.http import read_failure

WRONG = (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch, aiohttp.ClientConnectorDNSError, aiohttp.InvalidURL)
LATE = (TimeoutError,)
BROKEN = (aiohttp.ClientError,)


def every_kind(kind: type[Exception] = aiohttp.ClientError) -> Iterator[type[Exception]]:
    yield kind
    for each in kind.__subclasses__():
        yield from every_kind(each)


def bare(kind: type[Exception]) -> Exception:
    """Make an exception without its constructor, which is different for each kind."""
    error = kind.__new__(kind)
    for name, value in {"message": "m", "host": "h", "port": 1, "_os_error": OSError(), "_conn_key": None}.items():
        error.__dict__[name] = value
    return error


@pytest.mark.parametrize("kind", sorted(set(every_kind()), key=str))
def test_every_error_of_the_library_is_judged(kind: type[Exception]) -> None:
    class Silent(kind):  # type: ignore[misc, valid-type]  # the text of a bare one cannot be made
        def __str__(self) -> str:
            return "text"

    answer = read_failure(bare(Silent))

    if issubclass(kind, LATE):
        assert answer == Busy("no answer in time", timed_out=True)
    else:
        assert isinstance(answer, Misconfigured if issubclass(kind, WRONG) else Busy)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), Busy),
        (ConnectionResetError(104, "reset"), Busy),
        (BrokenPipeError(), Busy),
        (ConnectionRefusedError(), Busy),
        (ssl.SSLCertVerificationError("self-signed"), Misconfigured),
        (ssl.SSLEOFError("cut"), Busy),
        (UnicodeError("label too long"), Misconfigured),
    ],
)
def test_an_error_of_the_system_is_judged(error: Exception, expected: type) -> None:
    assert isinstance(read_failure(error), expected)


def test_an_error_after_the_handshake_is_one_of_tls_by_its_cause() -> None:
    """A server that wants a client's certificate says so only when the first bytes are read."""
    error = aiohttp.ClientOSError(1, "alert")
    error.__cause__ = ssl.SSLError(1, "certificate required")

    assert isinstance(read_failure(error), Misconfigured)


def test_a_reason_is_one_short_line() -> None:
    answer = read_failure(OSError("first\nsecond\r\n" + "x" * 10_000))

    assert isinstance(answer, Busy)
    assert "\n" not in answer.reason
    assert len(answer.reason) < 300
