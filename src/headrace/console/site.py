"""The site: every view as a page and as JSON, every action as a form and as JSON, in one ASGI application."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Protocol

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from headrace.console.answers import problem
from headrace.console.asking import make_ask
from headrace.console.desk import Desk
from headrace.console.guard import Guard
from headrace.console.pages import Pages
from headrace.console.view import Action, View
from headrace.console.viewer import Absent, Viewer
from headrace.errors import HeadraceError, UsageError

API = "/api/v1"

Handler = Callable[[Request], Awaitable[Response]]


class Access(Protocol):
    """Knows who asks. *routes* are those of signing in and out."""

    @property
    def routes(self) -> Sequence[BaseRoute]: ...

    @property
    def is_open(self) -> bool:
        """Whether everybody on this machine is an operator, without a sign-in."""
        ...

    def viewer(self, request: Request) -> Viewer | None:
        """Return who asks; None when that is not known."""
        ...


class Site:
    """Makes the application. *more* are routes that are neither views nor actions: streams, health, metrics."""

    def __init__(
        self,
        views: Sequence[View],
        actions: Sequence[Action],
        desk: Desk,
        pages: Pages,
        access: Access,
        more: Sequence[BaseRoute] = (),
    ) -> None:
        self._desk = desk
        self._pages = pages
        self._access = access
        routes: list[BaseRoute] = [Route(view.path, self._page(view)) for view in views if view.has_page]
        routes += [Route(API + view.path, self._document(view)) for view in views]
        routes += [Route(action.path, self._form(action), methods=["POST"]) for action in actions]
        routes += [Route(API + action.path, self._call(action), methods=["POST"]) for action in actions]
        routes += [*access.routes, *more, Mount("/static", StaticFiles(packages=[("headrace.console", "static")]))]
        self.app = Starlette(
            routes=routes,
            middleware=[Middleware(Guard)],
            exception_handlers={HTTPStatus.NOT_FOUND: self._not_found, HTTPStatus.METHOD_NOT_ALLOWED: self._not_found},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:  # noqa: ARG002  # what Starlette hands over
        yield
        self._desk.close()

    def _page(self, view: View) -> Handler:
        async def show(request: Request) -> Response:
            viewer = self._access.viewer(request)
            if viewer is None:
                return RedirectResponse(f"/sign-in?next={request.url.path}", HTTPStatus.SEE_OTHER)
            try:
                ask = make_ask(view.ask, _query(request), request.path_params, viewer, view.audience)
                answer = await self._desk.ask(lambda sources: view.read(ask, sources))
            except HeadraceError as error:
                return self._problem(error, viewer)
            return HTMLResponse(self._pages.view(view, ask, answer, viewer))

        return show

    def _document(self, view: View) -> Handler:
        async def answer(request: Request) -> Response:
            viewer = self._access.viewer(request)
            if viewer is None:
                return _unknown()
            try:
                ask = make_ask(view.ask, _query(request), request.path_params, viewer, view.audience)
                found = await self._desk.ask(lambda sources: view.read(ask, sources))
            except HeadraceError as error:
                return _json_problem(error)
            return _json(found)

        return answer

    def _form(self, action: Action) -> Handler:
        async def do(request: Request) -> Response:
            viewer = self._access.viewer(request)
            if viewer is None:
                return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
            try:
                async with request.form(max_files=0, max_fields=50) as form:
                    given = {name: value for name, value in form.items() if isinstance(value, str)}
                ask = make_ask(action.ask, given, request.path_params, viewer, action.audience)
                done = await self._desk.ask(lambda sources: action.do(ask, sources, viewer.name))
            except HeadraceError as error:
                return self._problem(error, viewer)
            return RedirectResponse(action.back(ask, done), HTTPStatus.SEE_OTHER)

        return do

    def _call(self, action: Action) -> Handler:
        async def call(request: Request) -> Response:
            viewer = self._access.viewer(request)
            if viewer is None:
                return _unknown()
            try:
                given = await _body(request)
                ask = make_ask(action.ask, given, request.path_params, viewer, action.audience)
                return _json(await self._desk.ask(lambda sources: action.do(ask, sources, viewer.name)))
            except HeadraceError as error:
                return _json_problem(error)

        return call

    def _problem(self, error: HeadraceError, viewer: Viewer) -> Response:
        told = problem(error)
        return HTMLResponse(self._pages.problem(told, viewer), told.status)

    async def _not_found(self, request: Request, error: Exception) -> Response:  # noqa: ARG002
        absent = Absent("there is nothing here")
        viewer = self._access.viewer(request)
        if request.url.path.startswith(API):
            return _json_problem(absent) if viewer else _unknown()
        told = problem(absent)
        return HTMLResponse(self._pages.problem(told, viewer), told.status)


def _query(request: Request) -> dict[str, str]:
    return dict(request.query_params)


async def _body(request: Request) -> dict[str, object]:
    """Read a JSON object of a request; an empty body is an empty one."""
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the body is no JSON object: {error}") from None


def _json(answer: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status, media_type="application/json")


def _json_problem(error: HeadraceError) -> Response:
    told = problem(error)
    return Response(msgspec.json.encode(told), told.status, media_type="application/problem+json")


def _unknown() -> Response:
    told = {"title": "Unauthorized", "status": 401, "detail": "send a token: Authorization: Bearer …"}
    return Response(
        msgspec.json.encode(told), 401, {"WWW-Authenticate": "Bearer"}, media_type="application/problem+json"
    )
