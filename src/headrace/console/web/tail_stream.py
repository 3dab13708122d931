"""The live tail as server-sent events: `rows`, an update; `lost`, how many updates were; `busy`, too many look on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from headrace.console.tailing.tail import Sought, Tail
from headrace.console.viewer import Busy
from headrace.console.views.tail import TAIL, TailAsk, sought
from headrace.console.web.answers import API, json_problem, problem, unknown
from headrace.console.web.asking import make_ask
from headrace.console.web.site import Access
from headrace.errors import HeadraceError

PING = 5.0
"""Seconds of silence after which a line says that the stream is open."""

LASTS = 600.0
"""Seconds of one stream; a browser then opens the next, and shows anew who it is."""

RETRY = b"retry: 2000\n\n"

HEADERS = {"X-Accel-Buffering": "no"}


class TailStream:
    """Serves *tail* to those whom *access* knows."""

    def __init__(self, tail: Tail, access: Access) -> None:
        self._tail = tail
        self._access = access
        path = f"{TAIL.path}/stream"
        self.routes: Sequence[BaseRoute] = (Route(path, self._serve), Route(API + path, self._serve))

    async def _serve(self, request: Request) -> Response:
        viewer = self._access.viewer(request)
        if viewer is None:
            return unknown()
        try:
            ask = make_ask(TailAsk, request.query_params, request.path_params, viewer, TAIL.audience)
            self._tail.check(viewer.org)
        except HeadraceError as error:
            return json_problem(problem(error, viewer))
        return StreamingResponse(self._updates(sought(ask), viewer.org), HTTPStatus.OK, HEADERS, "text/event-stream")

    async def _updates(self, what: Sought, org: str | None) -> AsyncIterator[bytes]:
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        try:
            viewer = self._tail.join(what, lambda: _wake(loop, woken), org)
        except Busy as error:
            yield _event("busy", str(error))
            return
        try:
            yield RETRY
            ends = loop.time() + LASTS
            while not self._tail.is_closed and loop.time() < ends:
                woken.clear()
                update, lost = viewer.take()
                if lost:
                    yield _event("lost", lost)
                if update is not None:
                    yield _event("rows", update)
                elif not await _is_set(woken):
                    yield b": nothing new\n\n"
        finally:
            self._tail.leave(viewer)


def _event(name: str, what: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(what))


def _wake(loop: asyncio.AbstractEventLoop, woken: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(woken.set)


async def _is_set(woken: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(PING):
            return await woken.wait()
    except TimeoutError:
        return False
