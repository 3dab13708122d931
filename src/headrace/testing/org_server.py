"""The server of `SimulatedOrg`: plays any number of orgs at `/orgs/{org}/…`, each with its own plan and ledger.

`POST /_control` takes a `Control`, `GET /_ledger?org&since&until&ids&sessions` returns `OrgDocument`s by org, and
`GET /_requests?org` the last posts as they came, of which `Control.keep` says how many.
"""

import time
from collections import defaultdict, deque
from collections.abc import Mapping
from math import inf

import msgspec
from aiohttp import web

from headrace.testing.faults import FaultPlan
from headrace.testing.org_answers import Post, answer_post, cut_before_reading, read_events
from headrace.testing.org_ledger import OrgDocument, OrgLedger

EVERY_ORG = "*"
BATCH_TYPE = "application/cloudevents-batch+json"


class Control(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a test asks of the server.

    *plan* is for *org*, `*` being all orgs without a plan of their own. *keep* so many requests per org from now on.
    *forget* what was written down of all orgs.
    """

    org: str = EVERY_ORG
    plan: FaultPlan | None = None
    keep: int | None = None
    forget: bool = False


class Request(msgspec.Struct, frozen=True):
    """One post as it came: when (seconds since the epoch), over which connection, and which body, uncompressed."""

    connection: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = 0.0


class OrgServer:
    """Answers posts as its plans say.

    With *count* it reads no JSON and counts events by their number: faster, and deaf to faults that look into events.
    """

    def __init__(self, *, count: bool = False) -> None:
        self._count = count
        self._keep = 0
        self._plans: dict[str, tuple[float, FaultPlan]] = {}
        self._ledgers: defaultdict[str, OrgLedger] = defaultdict(OrgLedger)
        self._requests: defaultdict[str, deque[Request]] = defaultdict(deque)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request of a destination's client, or of a test."""
        match request.path.split("/"):
            case ["", "orgs", org, *_]:
                return await self._take(org, request)
            case ["", "_ledger"]:
                return _document(self._ledger_documents(request.query))
            case ["", "_requests"]:
                return _document(list(self._requests[request.query["org"]]))
            case ["", "_control"]:
                self._control(msgspec.json.decode(await request.read(), type=Control))
                return web.Response()
        return web.Response(status=404)

    async def _take(self, org: str, request: web.BaseRequest) -> web.StreamResponse:
        ledger = self._ledgers[org]
        ledger.requests += 1
        since, plan = self._plans.get(org) or self._plans.get(EVERY_ORG) or (0.0, FaultPlan())
        fault = plan.at(time.monotonic() - since)
        await cut_before_reading(request, ledger, fault)
        body = await request.content.read()
        if self._keep:
            kept = self._requests[org]
            kept.append(Request(_peer(request), request.path_qs, dict(request.headers), body, time.time()))
            while len(kept) > self._keep:
                kept.popleft()
        events = None if self._count else read_events(body)
        if not self._count and (events is None or request.content_type != BATCH_TYPE):
            ledger.answers["415"] += 1
            return web.Response(status=415)
        return await answer_post(request, Post(body, events, time.time(), ledger), fault)

    def _control(self, control: Control) -> None:
        if control.plan is not None:
            self._plans[control.org] = (time.monotonic(), control.plan)
        if control.keep is not None:
            self._keep = control.keep
        if control.forget:
            self._ledgers.clear()
            self._requests.clear()

    def _ledger_documents(self, query: Mapping[str, str]) -> dict[str, OrgDocument]:
        since, until = float(query.get("since", -inf)), float(query.get("until", inf))
        ids, sessions = "ids" in query, "sessions" in query
        wanted = [query["org"]] if "org" in query else sorted(self._ledgers)
        return {org: self._ledgers[org].document(since, until, ids=ids, sessions=sessions) for org in wanted}


def _peer(request: web.BaseRequest) -> str:
    transport = request.transport
    return str(transport.get_extra_info("peername")) if transport is not None else ""


def _document(document: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")
