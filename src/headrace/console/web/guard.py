"""What holds for every request and every answer, whatever it is about."""

import asyncio
from collections.abc import Callable, Collection, MutableMapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headrace.console.web.answers import Problem, refusal
from headrace.console.web.mishaps import note

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer. Session text is hostile input: were it ever to become markup, it could not run."""

MOST_BODY = 64 * 1024
MOST_QUERY = 8 * 1024
"""Bytes that a request may have."""

BODY_WITHIN = 15.0
"""Seconds that they may take to come."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Refuse = Callable[[Scope, Problem], Response]
"""Says a problem as whoever asked reads it: as a page, or as JSON."""

IsServed = Callable[[str], bool]
"""Tells whether the console is reached under a name."""


class Guard:
    """Refuses what could not be meant well, sets the headers of answers, and answers for what nobody expected."""

    def __init__(self, app: ASGIApp, refuse: Refuse, is_served: IsServed) -> None:
        self._app = app
        self._refuse = refuse
        self._is_served = is_served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def guarded(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                _complete(scope, message)
            await send(message)

        problem = self._problem(scope)
        if problem is None:
            try:
                await self._app(scope, _measured(receive), guarded)
            except ClientDisconnect:
                return
            except Exception as error:  # noqa: BLE001  whatever it is, its text must not reach whoever asked
                reference = note(error, scope["method"])
                if has_begun:
                    return  # the server breaks the connection off, since the answer is not whole
                problem = refusal(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    f"something went wrong in the console; its log says more under {reference}",
                )
        if problem is not None:
            await self._told(scope, problem)(scope, receive, guarded)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        if not self._is_served(host_of(headers.get("host", ""))):
            return refusal(
                HTTPStatus.MISDIRECTED_REQUEST,
                "the console is not served under this name; add it to console.names if it is to be",
            )
        if _is_forged(scope["method"], headers):
            return refusal(
                HTTPStatus.FORBIDDEN, "this form was sent by another site; open the console itself and try again"
            )
        if len(scope["query_string"]) > MOST_QUERY:
            return refusal(HTTPStatus.REQUEST_URI_TOO_LONG, f"the query is longer than {MOST_QUERY} bytes")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > MOST_BODY:
            return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is longer than {MOST_BODY} bytes")
        return None

    def _told(self, scope: Scope, problem: Problem) -> Response:
        try:
            return self._refuse(scope, problem)
        except Exception as error:  # noqa: BLE001  also where pages cannot be rendered at all
            note(error, scope["method"])
            return PlainTextResponse(f"{problem.title}: {problem.detail}", problem.status)


def serves(names: Collection[str], *, open_to_all: bool) -> IsServed:
    """Tell which names the console answers to, so that another site's name that was bound to its address does not.

    Without a sign-in: those of this machine, and *names*. With one nothing is seen without a cookie, which browsers
    send to the name alone that set it, so that every name will do unless *names* are given.
    """
    known = {name.lower().rstrip(".") for name in names}

    def is_served(host: str) -> bool:
        if is_loopback(host) or host in known:
            return True
        return not open_to_all and (not known or _is_address(host))

    return is_served


def host_of(header: str) -> str:
    """Return the name or address in a Host header, without its port; the empty text if there is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches *host*."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _measured(receive: Receive) -> Receive:
    """Count what comes of a body, whatever its length was said to be, and wait for no more than `BODY_WITHIN`."""
    left = MOST_BODY
    is_whole = False
    until: float | None = None

    async def measured() -> Message:
        nonlocal left, is_whole, until
        if is_whole:
            return await receive()  # what comes now is that they hung up
        until = until or asyncio.get_running_loop().time() + BODY_WITHIN
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(
                HTTPStatus.REQUEST_TIMEOUT, f"the body did not come within {BODY_WITHIN:.0f} seconds"
            ) from None
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is longer than {MOST_BODY} bytes")
        is_whole = not message.get("more_body", False)
        return message

    return measured


def _complete(scope: Scope, message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    is_versioned = message["status"] == 200 and scope["path"].startswith("/static/") and b"v=" in scope["query_string"]
    headers.setdefault("Cache-Control", "public, max-age=31536000, immutable" if is_versioned else "no-store")


def _is_forged(method: str, headers: Headers) -> bool:
    """Tell whether a request that changes something comes from elsewhere: `Sec-Fetch-Site`, or else `Origin`, says so.

    A request with neither comes from no browser.
    """
    if method in _SAFE:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
