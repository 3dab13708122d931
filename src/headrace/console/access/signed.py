"""Who asks: everybody on this machine, or whoever has signed in or shows a token."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute

from headrace.clock import Clock
from headrace.console.access.accounts import ADVISED, Accounts, Cost
from headrace.console.access.gate import Gate
from headrace.console.access.register import Note, Register
from headrace.console.access.sign_in import COOKIE, SignIn
from headrace.console.access.tokens import Signer
from headrace.console.settings import ConsoleSettings
from headrace.console.viewer import Viewer
from headrace.console.web.guard import is_loopback
from headrace.console.web.pages import Pages
from headrace.errors import ConfigError


class SignedAccess:
    """Access by `Authorization: Bearer`, or by the cookie that a sign-in leaves. The header comes first.

    *note* writes sign-ins into the trail.
    """

    is_open = False

    def __init__(self, settings: ConsoleSettings, pages: Pages, clock: Clock, note: Note, cost: Cost = ADVISED) -> None:
        self._gate = Gate(Signer(settings.secret), settings.people, settings.revoked, clock)
        accounts, register = Accounts(settings.people, cost), Register(note, clock)
        self.routes: Sequence[BaseRoute] = SignIn(self._gate, accounts, pages, clock, register).routes

    def viewer(self, request: Request) -> Viewer | None:
        header = request.headers.get("authorization")
        token = request.cookies.get(COOKIE, "") if header is None else _bearer(header)
        claim = self._gate.read(token)
        return claim.viewer if claim else None


def is_open_to_all(settings: ConsoleSettings) -> bool:
    """Tell whether nobody has to sign in: without a secret, on loopback. Raise `ConfigError` on any other host."""
    if settings.secret:
        return False
    if not is_loopback(settings.host):
        raise ConfigError(
            f"the console does not listen on {settings.host} without a sign-in: set console.secret and console.people, "
            "or make tokens with `headrace token`, or let it listen on 127.0.0.1"
        )
    return True


def _bearer(header: str) -> str:
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
