"""The HTTP sink: one POST of a JSON array of CloudEvents, and one reading of its answer (design, section 3.3)."""

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import quote

import aiohttp
from yarl import URL

from headrace.model.batch import Batch
from headrace.model.destination import Destination
from headrace.model.outcome import Answer, Busy, Misconfigured
from headrace.sinks.answers import EXCERPT_BYTES, read_answer
from headrace.sinks.http_settings import ORG_PLACEHOLDER, HttpSettings, check_http
from headrace.sinks.port import Witness
from headrace.sinks.registry import SinkType
from headrace.sinks.retry_after import read_retry_after
from headrace.sinks.signing import Signer

CONTENT_TYPE = "application/cloudevents-batch+json"

ANSWER_BYTES = 1 << 20
ANSWER_BYTES_PER_EVENT = 1 << 10
"""What is read of an answer: so much, and so much more for each event that it may name."""

KEEP_ALIVE = 4.0
"""Seconds that an idle connection is kept. Common servers close theirs after 5, and a post into one that is just
being closed would be a failure of nobody's making."""

GZIP_LEVEL = 1
"""Higher levels cost several times the processor for a tenth less of JSON."""

_TLS_ERRORS = (ssl.SSLError, aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch)

_THREAD_BYTES = 64 << 10
"""From this size on a body is compressed in a thread, so that other posts do not wait for it."""


class HttpSink:
    """Posts to one destination; gives up a post, from connecting to the answer's last byte, after *timeout* seconds.

    It never follows a redirect, sends nothing twice, keeps no cookies and trusts no proxy of the environment.
    Raises `ConfigError` when *settings* cannot work. *wall* tells seconds since the epoch. *witness* looks on.
    """

    def __init__(
        self,
        settings: HttpSettings,
        *,
        timeout: float,
        wall: Callable[[], float] = time.time,
        witness: Witness | None = None,
    ) -> None:
        check_http(settings)
        self._witness = witness
        self._secret = frozenset(settings.headers)
        self._signer = Signer(settings.secret) if settings.secret else None
        self._gzip = settings.compression == "gzip"
        self._headers = {"Content-Type": CONTENT_TYPE, "Accept-Encoding": "identity", "User-Agent": "headrace"}
        if self._gzip:
            self._headers["Content-Encoding"] = "gzip"
        self._headers |= {name: value.reveal() for name, value in settings.headers.items()}
        self._url_of = lru_cache(maxsize=4096)(
            lambda org: URL(settings.url.replace(ORG_PLACEHOLDER, quote(org, safe="")))
        )
        # Exact also for long waits, which aiohttp else rounds up to a whole second.
        self._timeout = aiohttp.ClientTimeout(total=timeout, ceil_threshold=timeout + 1)
        self._wall = wall
        self._session: aiohttp.ClientSession | None = None

    async def write(self, batch: Batch) -> Answer:
        if self._session is None:
            self._session = self._open()
        try:
            return await self._post(self._session, batch.org, batch.ids, batch.values)
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            return read_failure(error)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        # The executors bound how many posts are in flight, so the pool need not, and no post ever waits for it.
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            trust_env=False,
        )

    async def _post(
        self, session: aiohttp.ClientSession, org: str, ids: Sequence[str], values: Sequence[bytes]
    ) -> Answer:
        body = b"[" + b",".join(values) + b"]"
        headers = self._headers
        if self._signer is not None:
            headers = headers | self._signer.sign(ids, body, self._wall())
        if self._witness is not None:
            shown = {name: "***" if name in self._secret else value for name, value in headers.items()}
            self._witness.sent(str(self._url_of(org).origin()), shown, body)
        if self._gzip:
            body = await _compress(body)
        async with session.post(self._url_of(org), data=_Body(body), headers=headers, allow_redirects=False) as answer:
            said, whole = await _read(answer, ANSWER_BYTES + ANSWER_BYTES_PER_EVENT * len(ids))
            if self._witness is not None:
                self._witness.answered(answer.status, answer.headers, said)
            wait = read_retry_after(answer.headers.get("Retry-After"), self._wall())
            return read_answer(answer.status, said, ids, wait=wait, whole=whole)


def read_failure(error: Exception) -> Answer:
    """Judge a post that came to no whole answer. The text names a host at most, never a URL, which may hold a token."""
    if isinstance(error, TimeoutError):
        return Busy("no answer in time", timed_out=True)
    cause = error.__cause__
    if isinstance(error, _TLS_ERRORS) or isinstance(cause, ssl.SSLError):
        # A connection that ends without TLS's farewell is a broken one, not a wrong one.
        cut = isinstance(error, ssl.SSLEOFError) or isinstance(cause, ssl.SSLEOFError)
        return Busy(_line("the connection broke", error)) if cut else Misconfigured(_line("TLS failed", error))
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror | UnicodeError):
        return Misconfigured(_line("the host's name cannot be resolved", error))
    if isinstance(error, aiohttp.InvalidURL):
        return Misconfigured("the url cannot be posted to")
    if isinstance(error, aiohttp.ClientResponseError):
        return Busy(_line("the answer is not HTTP", error.message))
    return Busy(_line("the connection failed", error))


def _line(what: str, error: object) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{what}: {text[:EXCERPT_BYTES]}"


async def _compress(body: bytes) -> bytes:
    if len(body) < _THREAD_BYTES:
        return gzip.compress(body, GZIP_LEVEL)
    return await asyncio.to_thread(gzip.compress, body, GZIP_LEVEL)


async def _read(answer: aiohttp.ClientResponse, most: int) -> tuple[bytes, bool]:
    """Return the answer's body, and True; or, when it is longer than *most*, its beginning, and False."""
    body = b""
    async for part in answer.content.iter_any():
        body = body + part if body else part
        if len(body) > most:
            # The rest is not wanted, so the connection cannot be used again.
            answer.close()
            return body, False
    return body, True


class _Body(aiohttp.BytesPayload):
    """Bytes that go out in one piece. aiohttp's own class warns from 1 MiB on, which a full batch just exceeds."""

    def __init__(self, body: bytes) -> None:
        super().__init__(b"", content_type=CONTENT_TYPE)
        self._value = body
        self._size = len(body)


def witnessed(witness: Witness | None) -> SinkType:
    """Return the type of HTTP sinks at whose posts *witness* looks on."""

    def make(destination: Destination, timeout: float) -> HttpSink:
        assert isinstance(destination.settings, HttpSettings)
        return HttpSink(destination.settings, timeout=timeout, witness=witness)

    return SinkType(name="http", settings=HttpSettings, make=make)


HTTP = witnessed(None)
