"""The pages of signing in and out: by name and password, or by a token that somebody sent as a link."""

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import IPv6Address, ip_network

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from headrace.clock import Clock
from headrace.console.access.accounts import Accounts
from headrace.console.access.gate import Gate
from headrace.console.access.register import SOMEBODY, Register
from headrace.console.access.throttle import Throttle
from headrace.console.access.tokens import Claim
from headrace.console.web.asking import read_form
from headrace.console.web.pages import Pages

COOKIE = "headrace"

AT_ONCE = 2
"""Passwords that are checked at once, each of which takes memory and a core."""

_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_LONGEST = 1000

WRONG = "The name or the password is wrong."
NO_TOKEN = "This token is not valid any more: it has expired, or was revoked. Ask for a new one."  # noqa: S105
OFTEN = "There were too many failed sign-ins."


class SignIn:
    """Signs in and out."""

    def __init__(self, gate: Gate, accounts: Accounts, pages: Pages, clock: Clock, register: Register) -> None:
        self._gate = gate
        self._register = register
        self._accounts = accounts
        self._pages = pages
        self._clock = clock
        self._by_address = Throttle(tries=10, seconds=300)
        self._by_name = Throttle(tries=50, seconds=600)
        self._checking = asyncio.Semaphore(AT_ONCE)
        self.routes = [
            Route("/sign-in", self._show, methods=["GET"]),
            Route("/sign-in", self._enter, methods=["POST"]),
            Route("/sign-out", self._leave, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        token = request.query_params.get("token", "")
        claim = self._gate.read(token) if token else None
        return self._page(
            request.query_params,
            claim=claim,
            token=token if claim else "",
            wrong=NO_TOKEN if token and not claim else "",
        )

    async def _enter(self, request: Request) -> Response:
        given = await read_form(request)
        if token := given.get("token", "").strip():
            claim = self._gate.read(token)
            if claim is None:
                await self._register.refuse(NO_TOKEN, _address(request))
                return self._page(given, wrong=NO_TOKEN)
            return await self._let_in(request, given, token, claim)
        name, password = given.get("name", ""), given.get("password", "")
        keys = (self._by_address, _network(request)), (self._by_name, name)
        now = self._clock.monotonic()
        if wait := max(throttle.take(key, now) for throttle, key in keys):
            await self._refuse(request, name, OFTEN)
            return self._page(given, wrong=OFTEN, wait=wait)
        async with self._checking:
            person = await asyncio.to_thread(self._accounts.check, name, password[:_LONGEST])
        if person is None:
            await self._refuse(request, name, WRONG)
            return self._page(given, wrong=WRONG)
        for throttle, key in keys:
            throttle.give_back(key)
        token = self._gate.let_in(name)
        claim = self._gate.read(token)
        assert claim is not None
        return await self._let_in(request, given, token, claim)

    async def _refuse(self, request: Request, name: str, why: str) -> None:
        person = self._accounts.find(name)
        org = person.org if person else None
        await self._register.refuse(why, _address(request), name if person else SOMEBODY, org)

    async def _leave(self, request: Request) -> Response:
        if (claim := self._gate.read(request.cookies.get(COOKIE, ""))) is not None:
            self._gate.let_out(claim)
        answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=_is_secure(request))
        return answer

    async def _let_in(self, request: Request, given: Mapping[str, str], token: str, claim: Claim) -> Response:
        await self._register.let_in(claim, _address(request))
        answer = RedirectResponse(local(given.get("next", "")), HTTPStatus.SEE_OTHER)
        left = int(claim.expires - self._clock.wall())
        answer.set_cookie(COOKIE, token, max_age=left, httponly=True, samesite="lax", secure=_is_secure(request))
        return answer

    def _page(
        self, given: Mapping[str, str], *, claim: Claim | None = None, token: str = "", wrong: str = "", wait: float = 0
    ) -> Response:
        page = self._pages.page(
            "sign_in.html",
            None,
            next=local(given.get("next", "")),
            name=given.get("name", "")[:_LONGEST],
            has_people=bool(self._accounts),
            claim=claim,
            token=token,
            wrong=wrong,
            wait=wait,
        )
        if wait:
            return HTMLResponse(page, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": f"{wait + 1:.0f}"})
        return HTMLResponse(page, HTTPStatus.FORBIDDEN if wrong else HTTPStatus.OK)


def local(path: str) -> str:
    """Return *path* if it is one of this site, as far as any browser reads it, and else the first page."""
    return path if len(path) <= _LONGEST and _LOCAL.fullmatch(path) else "/"


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _network(request: Request) -> str:
    """Return whose tries are counted together: an address, or of IPv6 the network that one household has."""
    host = _address(request)
    try:
        address = ip_network(host)
    except ValueError:
        return host
    is_six = isinstance(address.network_address, IPv6Address)
    return str(address.supernet(new_prefix=64)) if is_six else host


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
