"""The org servers of a run, in a process of their own: they write down what they receive and apply.

    python -m chaos.org_server PORT RECORDS SECRETS

SECRETS is a JSON object of each destination's secret. A destination posts to `/{destination}/orgs/{org}/events`;
`POST /_fault` takes a `Told`. Nothing is forgotten, and nothing is believed that the signature does not prove.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

import msgspec
import uvloop
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from chaos.event import read_event
from chaos.parent import die_with_parent
from chaos.records import Answered, Applied, Refused, Requested, Writer
from headrace.testing.faults import Arrival, Fault
from headrace.testing.org_answers import Post, answer_post, cut_before_reading, read_events
from headrace.testing.org_ledger import OrgLedger

LOOPBACK = "127.0.0.1"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How the server of *org* is to behave from now on; None: well. *name* is what its records call it."""

    org: str
    name: str = ""
    fault: Fault | None = None


class Pen(OrgLedger):
    """Writes down what becomes of the events of one request."""

    def __init__(self, writer: Writer, request: int, numbers: Mapping[str, int]) -> None:
        super().__init__()
        self._writer = writer
        self._request = request
        self._numbers = numbers

    def take(self, events: Sequence[Arrival], at: float) -> None:
        """Note that *events* were stored."""
        self._writer.write(Applied(self._request, time.time(), [self._numbers[event.id] for event in events]))

    def refuse(self, event: Arrival) -> None:
        """Note that *event* was turned down for itself."""
        self._writer.write(Refused(self._request, [self._numbers[event.id]]))


class OrgServer:
    """Plays every org of a run."""

    def __init__(self, writer: Writer, secrets: Mapping[str, str]) -> None:
        self._writer = writer
        self._verify = {name: Webhook(secret).verify for name, secret in secrets.items()}
        self._faults: dict[str, Told] = {}
        self._requests = count()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a destination's client, or the one who hurts it."""
        match request.path.split("/"):
            case ["", destination, "orgs", org, "events"] if destination in self._verify:
                return await self._take(destination, org, request)
            case ["", "_fault"]:
                told = msgspec.json.decode(await request.read(), type=Told)
                self._faults[told.org] = told
                return web.Response()
        return web.Response(status=404)

    async def _take(self, destination: str, org: str, request: web.BaseRequest) -> web.StreamResponse:
        told = self._faults.get(org) or Told(org=org)
        number = next(self._requests)
        pen = Pen(self._writer, number, {})
        if told.name == "cut_request":
            self._write(number, destination, org, request, told.name, b"[]")
        await cut_before_reading(request, pen, told.fault)
        body = await request.content.read()
        events = read_events(body)
        self._write(number, destination, org, request, told.name, body)
        if events is None:
            return web.Response(status=415)
        pen = Pen(self._writer, number, {event.arrival.id: read_event(event.raw).n for event in events})
        response = await answer_post(request, Post(body, events, time.time(), pen), told.fault)
        self._writer.write(Answered(number, time.time(), str(response.status)))
        return response

    def _write(
        self, number: int, destination: str, org: str, request: web.BaseRequest, fault: str, body: bytes
    ) -> None:
        signed_at = request.headers.get("webhook-timestamp", "")
        self._writer.write(
            Requested(
                number,
                time.time(),
                int(signed_at) if signed_at.isdecimal() else 0,
                destination,
                org,
                request.headers.get("x-worker", ""),
                fault,
                fault == "cut_request" or self._is_signed(destination, body, dict(request.headers)),
                [read_event(event.raw) for event in read_events(body) or []],
            )
        )

    def _is_signed(self, destination: str, body: bytes, headers: dict[str, str]) -> bool:
        try:
            self._verify[destination](body, headers)
        except WebhookVerificationError:
            return False
        return True


async def main(port: int, records: Path, secrets: Mapping[str, str]) -> None:
    """Serve until this process is ended."""
    server = web.Server(OrgServer(Writer(records), secrets).answer, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    die_with_parent()
    uvloop.run(main(int(sys.argv[1]), Path(sys.argv[2]), msgspec.json.decode(sys.argv[3], type=dict[str, str])))
