"""Asks the console without a socket: a site over memory stores, and a client that speaks ASGI to it.

with open_site(log=log) as site:
    page = site.get("/sessions?org=acme")
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import unquote, urlencode

import msgspec
from jinja2.bccache import Bucket, BytecodeCache
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Scope

from headrace.broker.memory import MemoryBroker
from headrace.clock import Clock
from headrace.console.sources import Facts, Log, Sources
from headrace.console.view import Action, View
from headrace.console.viewer import Viewer
from headrace.console.views.every import ACTIONS, VIEWS
from headrace.console.web.desk import Desk
from headrace.console.web.pages import Pages
from headrace.console.web.site import Access, Site
from headrace.control.pauses import Pauses, Pausing
from headrace.eventlog.memory import MemoryEventLog
from headrace.model.destination import Destination
from headrace.testing.clock import EPOCH, FakeClock
from headrace.wire.topics import TopicNames

OPERATOR = Viewer("olga")
NOW = EPOCH
"""What the fake clock of a site shows."""

PATIENCE = 10.0
"""Seconds that an answer may take before the test fails."""


class Answered(msgspec.Struct, frozen=True):
    """What came back. Names of *headers* are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class _Compiled(BytecodeCache):
    """Templates, compiled once for all sites of a run: that takes longer than most tests."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


class As:
    """Access for tests: everybody is *viewer*; None is somebody who is not signed in."""

    routes: Sequence[BaseRoute] = ()
    is_open = False

    def __init__(self, viewer: Viewer | None) -> None:
        self._viewer = viewer

    def viewer(self, request: Request) -> Viewer | None:
        return self._viewer


class Asking:
    """A client of one application, with a cookie jar of its own."""

    def __init__(self, app: ASGIApp, loop: asyncio.Runner, host: str = "127.0.0.1:8400") -> None:
        self._app = app
        self._loop = loop
        self._host = host
        self.cookies: dict[str, str] = {}

    def get(self, target: str, headers: Mapping[str, str] | None = None, *, until: bytes | None = None) -> Answered:
        """Get *target*, a path with its query; of a stream that never ends read up to *until*, and hang up."""
        return self.ask("GET", target, headers, until=until)

    def post(
        self,
        target: str,
        form: Mapping[str, str] | None = None,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Post a *form* as a page of the console does, or *json* as a program does."""
        if json is not None:
            sent = {"content-type": "application/json"} | dict(headers or {})
            return self.ask("POST", target, sent, msgspec.json.encode(json))
        sent = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
        return self.ask("POST", target, sent | dict(headers or {}), urlencode(form or {}).encode())

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        until: bytes | None = None,
    ) -> Answered:
        """Ask anything. Cookies that are set are sent from then on."""
        answered = self._loop.run(self._ask(method, target, headers or {}, body, until))
        jar = SimpleCookie(answered.headers.get("set-cookie", ""))
        self.cookies |= {name: each.value for name, each in jar.items()}
        for name in [name for name, each in jar.items() if each["max-age"] == "0"]:
            del self.cookies[name]
        return answered

    async def _ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, until: bytes | None
    ) -> Answered:
        sent = {"host": self._host, "content-length": str(len(body)), **headers}
        if self.cookies:
            sent |= {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        path, _, query = target.partition("?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8400),
        }
        heard = _Heard(body, until)
        async with asyncio.timeout(PATIENCE):
            try:
                await self._app(scope, heard.receive, heard.send)
            except OSError:  # what a server raises to a stream whose reader has hung up
                assert heard.is_over.is_set()
        return Answered(heard.status, heard.headers, bytes(heard.body))


class _Heard:
    """Both ends of one connection."""

    def __init__(self, body: bytes, until: bytes | None) -> None:
        self._sent: bytes | None = body
        self._until = until
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.is_over = asyncio.Event()

    async def receive(self) -> Message:
        if self._sent is not None:
            body, self._sent = self._sent, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.is_over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.is_over.is_set():
            raise OSError("the reader has hung up")
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            self.headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
            return
        self.body += message.get("body", b"")
        if not message.get("more_body", False) or (self._until is not None and self._until in self.body):
            self.is_over.set()


@contextlib.contextmanager
def asking(app: ASGIApp, host: str = "127.0.0.1:8400") -> Iterator[Asking]:
    """Run *app* with its lifespan, and yield a client of it."""
    with asyncio.Runner() as loop:
        alive = loop.run(_Lifespan(app).begin())
        try:
            yield Asking(app, loop, host)
        finally:
            loop.run(alive.end())


class _Lifespan:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._to: asyncio.Queue[Message] = asyncio.Queue()
        self._from: asyncio.Queue[Message] = asyncio.Queue()

    async def begin(self) -> "_Lifespan":
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._running = asyncio.create_task(self._run(scope))
        await self._tell("startup")
        return self

    async def end(self) -> None:
        await self._tell("shutdown")
        await self._running

    async def _run(self, scope: Scope) -> None:
        await self._app(scope, self._to.get, self._from.put)

    async def _tell(self, what: str) -> None:
        await self._to.put({"type": f"lifespan.{what}"})
        told = await asyncio.wait_for(self._from.get(), PATIENCE)
        assert told["type"] == f"lifespan.{what}.complete", told


def facts(destinations: Mapping[str, Destination] | None = None) -> Facts:
    """Return the facts of a small installation; every org is routed to all *destinations*."""
    known = destinations or {}
    return Facts(
        environment="test",
        names=TopicNames(""),
        destinations=known,
        destinations_of=lambda org: list(known),
        tiers=(5.0, 60.0),
        give_up_after=86_400.0,
        retention=30 * 86_400.0,
    )


@contextlib.contextmanager
def open_site(
    *,
    log: Log | None = None,
    broker: MemoryBroker | None = None,
    clock: Clock | None = None,
    viewer: Viewer | None = OPERATOR,
    access: Access | None = None,
    views: Sequence[View] = VIEWS,
    actions: Sequence[Action] = ACTIONS,
    known: Facts | None = None,
    more: Callable[[Desk, Access, Pages], Sequence[BaseRoute]] | None = None,
    **sources: Any,
) -> Iterator[Asking]:
    """Yield a client of a site over memory stores, by default as an operator.

    *more* makes routes that are neither views nor actions. *sources* are further fields of `Sources`.
    """
    clock = clock or FakeClock()
    broker = broker or MemoryBroker(clock)
    log = log or MemoryEventLog(clock)
    known = known or facts()
    sources.setdefault("pauses", Pauses(broker.reader, known.names, clock))
    sources.setdefault("pausing", Pausing(broker, known.names, replication=1, in_sync=1))
    access = access or As(viewer)
    desk = Desk(lambda: Sources(log=log, reader=broker.reader(), facts=known, clock=clock, **sources))
    pages = Pages(views, actions, known, clock, open_to_all=access.is_open)
    pages._environment.bytecode_cache = _COMPILED
    site = Site(views, actions, desk, pages, access, more(desk, access, pages) if more else ())
    with asking(site.app) as client:
        yield client
