"""What holds for every request and every answer, whatever it is about."""

from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer. Session text is hostile input: were it ever to become markup, it could not run."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Refuses what another site's page sends on behalf of whoever looks at it, and sets the headers of answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(scope, message)
            await send(message)

        if _is_forged(scope):
            refusal = PlainTextResponse(
                "this form was sent by another site; open the console itself and try again", 403
            )
            await refusal(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)


def _complete(scope: Scope, message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    is_versioned = scope["path"].startswith("/static/") and b"v=" in scope["query_string"]
    headers.setdefault("Cache-Control", "public, max-age=31536000, immutable" if is_versioned else "no-store")


def _is_forged(scope: Scope) -> bool:
    """Tell whether a request that changes something comes from elsewhere: `Sec-Fetch-Site`, or else `Origin`, says so.

    A request with neither comes from no browser.
    """
    if scope["method"] in _SAFE:
        return False
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")
