"""The client of `SimulatedOrg`: what a test says to it, in whatever process it runs."""

from collections.abc import Mapping
from http.client import HTTPConnection
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from headrace.testing.faults import FaultPlan
from headrace.testing.org_ledger import OrgDocument
from headrace.testing.org_server import Control, Request

_T = TypeVar("_T")


class OrgClient:
    """Drives a server that runs anywhere, through its own HTTP endpoints. *base* is `http://host:port`."""

    def __init__(self, base: str) -> None:
        self.base = base

    @property
    def url(self) -> str:
        """The URL for a destination's settings."""
        return f"{self.base}/orgs/{{org}}/events"

    def plan(self, org: str, plan: FaultPlan) -> None:
        """Let *org* (`*`: every org without a plan of its own) behave so, its phases counted from now."""
        self._control(Control(org=org, plan=plan))

    def keep(self, requests: int) -> None:
        """Keep the last so many requests of each org, from now on."""
        self._control(Control(keep=requests))

    def forget(self) -> None:
        """Forget what was written down; plans stay."""
        self._control(Control(forget=True))

    def ledgers(self, **query: str | float) -> dict[str, OrgDocument]:
        """Return the ledgers of all orgs that were posted to. *query*: org, since, until, ids=1, sessions=1."""
        return self._get("/_ledger", query, dict[str, OrgDocument])

    def ledger(self, org: str, **query: str | float) -> OrgDocument:
        """Return one org's ledger, an empty one when it was never posted to."""
        return self.ledgers(org=org, **query)[org]

    def requests(self, org: str) -> list[Request]:
        """Return the requests of *org* that were kept, oldest first."""
        return self._get("/_requests", {"org": org}, list[Request])

    def _control(self, control: Control) -> None:
        self._ask("POST", "/_control", msgspec.json.encode(control))

    def _get(self, path: str, query: Mapping[str, str | float], kind: type[_T]) -> _T:
        return msgspec.json.decode(self._ask("GET", f"{path}?{urlencode(query)}"), type=kind)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = HTTPConnection(urlsplit(self.base).netloc, timeout=60)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            read = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"the simulated org answered {answer.status} to {method} {path}")
        return read
