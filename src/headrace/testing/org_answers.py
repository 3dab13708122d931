"""One post to a simulated org, answered with the fault that its plan has now."""

import asyncio
from typing import NamedTuple, NoReturn

import msgspec
from aiohttp import web

from headrace.testing.faults import (
    Arrival,
    Cut,
    Fault,
    HalfJson,
    Hang,
    Refuses,
    Results,
    Slow,
    Status,
    TooLargeAbove,
)
from headrace.testing.org_ledger import OrgLedger

_HALF_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n{"results":[{"id":"'

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read = msgspec.json.Decoder(Arrival).decode


class Event(NamedTuple):
    """An event of a post, and its bytes."""

    arrival: Arrival
    raw: bytes


class Post(NamedTuple):
    """A post that was read. *events* None means that they are counted only."""

    body: bytes
    events: list[Event] | None
    at: float
    ledger: OrgLedger

    def take(self, events: list[Event] | None) -> None:
        """Write down that *events* were taken."""
        if events is None:
            self.ledger.count(self.body, self.at)
        else:
            self.ledger.take([event.arrival for event in events], self.at)


def read_events(body: bytes) -> list[Event] | None:
    """Read a batch; None when it is not a JSON array of CloudEvents."""
    try:
        return [Event(_read(raw), bytes(raw)) for raw in _split(body)]
    except msgspec.DecodeError:
        return None


async def cut_before_reading(request: web.BaseRequest, ledger: OrgLedger, fault: Fault | None) -> None:
    """Close the connection when *fault* is a cut before the body is read."""
    if isinstance(fault, Cut) and fault.at == "request":
        ledger.answers["cut"] += 1
        await _close(request)


async def answer_post(request: web.BaseRequest, post: Post, fault: Fault | None) -> web.StreamResponse:
    """Answer *post* with *fault*, or take it and say 200. Never returns when the fault is that there is no answer."""
    post.ledger.received += len(post.events or ())
    match fault:
        case Hang(applied=applied):
            if applied:
                post.take(post.events)
            post.ledger.answers["hang"] += 1
            await _until_gone()
        case Cut(at=at):
            post.take(post.events)
            post.ledger.answers["cut"] += 1
            await _close(request, _HALF_ANSWER if at == "answer" else b"")
        case Slow(seconds=seconds):
            answer = _reply(post, None)
            await asyncio.sleep(seconds)
        case _:
            answer = _reply(post, fault)
    return answer


def _reply(post: Post, fault: Status | Refuses | TooLargeAbove | Results | HalfJson | None) -> web.Response:
    events = post.events or []
    match fault:
        case Status():
            return _status(post, fault)
        case Results():
            return _results(post, fault)
        case Refuses(match=match, status=status) if bad := [event for event in events if match.fits(*event)]:
            for event in bad:
                post.ledger.refuse(event.arrival)
            return _answer(post, status, "some event is not acceptable")
        case TooLargeAbove(events=most, bytes=most_bytes) if len(events) > most or len(post.body) > most_bytes:
            return _answer(post, 413, "too large")
        case HalfJson():
            post.take(post.events)
            return _answer(post, 200, '{"results":[{"id":"', "application/json")
    post.take(post.events)
    return _answer(post, 200)


def _status(post: Post, fault: Status) -> web.Response:
    if fault.applied:
        post.take(post.events)
    response = _answer(post, fault.status, fault.body, fault.content_type)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = fault.retry_after
    if fault.location is not None:
        response.headers["Location"] = fault.location
    return response


def _results(post: Post, fault: Results) -> web.Response:
    taken, results = [], []
    for event in post.events or []:
        if fault.unnamed is not None and fault.unnamed.fits(*event):
            continue
        said = "delivered"
        if fault.rejected is not None and fault.rejected.fits(*event):
            said = "rejected"
            post.ledger.refuse(event.arrival)
        elif fault.retryable is not None and fault.retryable.fits(*event):
            said = "retryable"
        else:
            taken.append(event)
        results.append({"id": event.arrival.id, "status": said, "reason": f"simulated: {said}"})
    post.take(taken)
    return _answer(post, fault.status, msgspec.json.encode({"results": results}).decode(), "application/json")


def _answer(post: Post, status: int, text: str = "", content_type: str = "text/plain") -> web.Response:
    post.ledger.answers[str(status)] += 1
    return web.Response(status=status, text=text, content_type=content_type)


async def _close(request: web.BaseRequest, last: bytes = b"") -> NoReturn:
    transport = request.transport
    if transport is not None and last:
        transport.write(last)
        transport.close()
    elif transport is not None:
        transport.abort()
    await _until_gone()


async def _until_gone() -> NoReturn:
    """Wait for the cancellation that the end of the connection brings."""
    await asyncio.Event().wait()
    raise asyncio.CancelledError
