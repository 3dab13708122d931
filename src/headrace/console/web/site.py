"""The site: every view as a page and as JSON, every action as a form and as JSON, in one ASGI application."""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from headrace.console.links import link
from headrace.console.sources import Sources
from headrace.console.view import Action, View
from headrace.console.viewer import Absent, Busy, Viewer
from headrace.console.web.answers import API, Problem, json, json_problem, patience, problem, refusal, unknown
from headrace.console.web.asking import fitting, make_ask, read_body, read_form
from headrace.console.web.desk import Desk
from headrace.console.web.doing import perform
from headrace.console.web.exact_route import ExactRoute
from headrace.console.web.guard import Guard, IsServed, serves
from headrace.console.web.lines import MEDIA_TYPE, SUFFIX, Portion, limit_of, open_lines, write_lines
from headrace.console.web.openapi import describe
from headrace.console.web.outliving import tell
from headrace.console.web.pages import NOTHING_REFUSED, Pages, Refused
from headrace.console.web.window import stays
from headrace.errors import HeadraceError, UsageError

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
        *,
        is_served: IsServed | None = None,
    ) -> None:
        self._desk = desk
        self._pages = pages
        self._access = access
        self._views = {view.name: view for view in views}
        self._described = cache(partial(describe, views, actions))
        routes: list[BaseRoute] = [ExactRoute(view.path, self._page(view)) for view in views if view.has_page]
        routes += [ExactRoute(API + view.path, self._document(view)) for view in views]
        routes += [ExactRoute(API + view.path + SUFFIX, self._lines(view)) for view in views if view.rows]
        routes += [ExactRoute(action.path, self._form(action), methods=["POST"]) for action in actions]
        routes += [ExactRoute(API + action.path, self._call(action), methods=["POST"]) for action in actions]
        routes += [Route("/api", self._api), Route(f"{API}/openapi.json", self._openapi)]
        routes += [*access.routes, *more, Mount("/static", StaticFiles(packages=[("headrace.console", "static")]))]
        is_served = is_served or serves((), open_to_all=access.is_open)
        self.app = Starlette(
            routes=routes,
            middleware=[Middleware(Guard, self._refuse, is_served)],
            exception_handlers={HTTPException: self._refused},
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
                return _to_sign_in(request)
            try:
                ask = make_ask(view.ask, request.query_params, request.path_params, viewer, view.audience)
                write = partial(self._write_page, view, ask, viewer)
                return HTMLResponse(await tell(self._desk, view, ask, viewer, write, request.is_disconnected))
            except HeadraceError as error:
                return self._problem(problem(error, viewer), viewer)

        return show

    def _write_page(
        self, view: View, ask: msgspec.Struct, viewer: Viewer, answer: Any, refused: Refused = NOTHING_REFUSED
    ) -> bytes:
        return self._pages.view(view, ask, answer, viewer, refused).encode()

    def _document(self, view: View) -> Handler:
        async def answer(request: Request) -> Response:
            viewer = self._access.viewer(request)
            if viewer is None:
                return unknown()
            try:
                ask = make_ask(view.ask, request.query_params, request.path_params, viewer, view.audience)
                return json(await tell(self._desk, view, ask, viewer, msgspec.json.encode, request.is_disconnected))
            except HeadraceError as error:
                return json_problem(problem(error, viewer))

        return answer

    def _lines(self, view: View) -> Handler:
        async def answer(request: Request) -> Response:
            viewer = self._access.viewer(request)
            if viewer is None:
                return unknown()

            def read(ask: msgspec.Struct) -> Awaitable[Portion]:
                write = partial(_write_lines, view, ask, viewer)
                return self._desk.ask(write, viewer, view.needs)

            try:
                limit, given = limit_of(request.query_params)
                ask = make_ask(view.ask, given, request.path_params, viewer, view.audience)
                lines = await open_lines(ask, limit, read, viewer)
            except HeadraceError as error:
                return json_problem(problem(error, viewer))
            named = {"Content-Disposition": f'attachment; filename="{view.name}{SUFFIX}"'}
            return StreamingResponse(lines, headers=named, media_type=MEDIA_TYPE)

        return answer

    def _form(self, action: Action) -> Handler:
        async def do(request: Request) -> Response:
            viewer = self._access.viewer(request)
            if viewer is None:
                return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
            given = await read_form(request)
            try:
                ask = make_ask(action.ask, given, request.path_params, viewer, action.audience)
                done = await self._do(action, ask, viewer, request)
            except UsageError as error:
                return await self._form_again(action, Refused(action.name, str(error), given), request, viewer)
            except HeadraceError as error:
                return self._problem(problem(error, viewer), viewer)
            return RedirectResponse(action.back(ask, done), HTTPStatus.SEE_OTHER)

        return do

    async def _do(self, action: Action, ask: msgspec.Struct, viewer: Viewer, request: Request) -> Any:
        """Do it, unless it could not begin before patience ended: then it is never begun."""
        given_up = threading.Event()
        act = partial(perform, action, ask, viewer=viewer, address=_address(request), given_up=given_up)
        try:
            return await self._desk.ask(act, viewer, action.needs)
        except Busy:
            given_up.set()
            raise

    async def _form_again(self, action: Action, refused: Refused, request: Request, viewer: Viewer) -> Response:
        """Show the page with the form once more: why nothing was done, and what was typed."""
        told = refusal(HTTPStatus.BAD_REQUEST, refused.why)
        view = self._views.get(action.form)
        if view is None:
            return self._problem(told, viewer)
        try:
            ask = make_ask(view.ask, fitting(view.ask, refused.given), request.path_params, viewer, view.audience)
            write = partial(self._write_page, view, ask, viewer, refused=refused)
            page = await tell(self._desk, view, ask, viewer, write, stays)
        except HeadraceError:
            return self._problem(told, viewer)
        return HTMLResponse(page, HTTPStatus.BAD_REQUEST)

    def _call(self, action: Action) -> Handler:
        async def call(request: Request) -> Response:
            viewer = self._access.viewer(request)
            if viewer is None:
                return unknown()
            try:
                given = await read_body(request)
                ask = make_ask(action.ask, given, request.path_params, viewer, action.audience)
                return json(await self._do(action, ask, viewer, request))
            except HeadraceError as error:
                return json_problem(problem(error, viewer))

        return call

    async def _api(self, request: Request) -> Response:
        viewer = self._access.viewer(request)
        if viewer is None:
            return _to_sign_in(request)
        url = str(request.base_url)

        def render(_: Sources) -> bytes:
            return self._pages.page("api.html", viewer, api=self._described(), url=url).encode()

        try:
            return HTMLResponse(await self._desk.ask(render, viewer, "memory", request.is_disconnected))
        except HeadraceError as error:
            return self._problem(problem(error, viewer), viewer)

    async def _openapi(self, request: Request) -> Response:
        viewer = self._access.viewer(request)
        if viewer is None:
            return unknown()
        try:
            return json(await self._desk.ask(lambda _: msgspec.json.encode(self._described()), viewer, "memory"))
        except HeadraceError as error:
            return json_problem(problem(error, viewer))

    def _problem(self, told: Problem, viewer: Viewer | None) -> Response:
        return HTMLResponse(self._pages.problem(told, viewer), told.status, patience(told))

    def _refuse(self, scope: Scope, told: Problem) -> Response:
        """Say a problem to nobody in particular, and with nobody's data."""
        return json_problem(told) if _is_api(scope["path"]) else self._problem(told, None)

    async def _refused(self, request: Request, error: Exception) -> Response:
        """Say what no route took: unknown paths as absent ones, and unknown methods with those that there are."""
        assert isinstance(error, HTTPException)
        viewer = self._access.viewer(request)
        is_api = _is_api(request.url.path)
        if viewer is None and is_api:
            return unknown()
        told = refusal(HTTPStatus(error.status_code), error.detail)
        headers = {}
        if error.status_code == HTTPStatus.NOT_FOUND:
            told = problem(Absent("there is nothing here"), viewer)
        elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(self._methods(request.scope))
            told = refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"there is no {request.method} here, only {headers['Allow']}")
        answer = json_problem(told) if is_api else self._problem(told, viewer)
        answer.headers.update(headers)
        return answer

    def _methods(self, scope: Scope) -> Sequence[str]:
        """Return what may be done at a path, which several routes can share."""
        routes = [each for each in self.app.routes if isinstance(each, Route) and each.matches(scope)[0] != Match.NONE]
        return sorted({method for route in routes for method in route.methods or ()})


def _write_lines(view: View, ask: msgspec.Struct, viewer: Viewer, sources: Sources) -> Portion:
    """Return one page as lines, made in the thread that reads it."""
    return write_lines(view, view.answer_to(viewer, ask, sources))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _is_api(path: str) -> bool:
    return path.startswith(f"{API}/")


def _to_sign_in(request: Request) -> Response:
    """Send somebody whom nobody knows to the sign-in, which leads back to where they wanted to go."""
    sent = request.scope.get("raw_path")
    wanted = quote(request.url.path) if sent is None else sent.decode("latin-1")
    if request.url.query:
        wanted += f"?{request.url.query}"
    return RedirectResponse(link("/sign-in", {"next": None if wanted == "/" else wanted}), HTTPStatus.SEE_OTHER)
