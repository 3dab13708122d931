"""A single post by hand, through the sink that a worker would use, told as it went over the wire."""

import asyncio
import time
from collections.abc import Mapping

import msgspec

from headrace.model.batch import Batch
from headrace.model.destination import Destination
from headrace.model.exchange import Exchange, came_of
from headrace.model.outcome import Answer, Busy
from headrace.sinks.port import Sink

EVERY_ORG = "*"

SHOWN_BYTES = 4096
"""How much of a body is told."""


class Notes:
    """Writes down what a sink sent and what came back."""

    def __init__(self) -> None:
        self.told: dict[str, object] = {}

    def sent(self, target: str, headers: Mapping[str, str], body: bytes) -> None:
        self.told |= {"target": target, "headers": _pairs(headers), "body": _shown(body)}

    def answered(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.told |= {"status": status, "answer_headers": _pairs(headers), "answer": _shown(body)}


def rehearse(sink: Sink, notes: Notes, destination: Destination, org: str, id_: str, value: bytes) -> Exchange:
    """Post the event *value* once, and close *sink*. Never raises for what the destination does."""
    lane, orgs = (EVERY_ORG, [org]) if destination.shared else (org, [])
    batch = Batch(destination=destination, org=lane, ids=[id_], values=[value], orgs=orgs)
    began = time.monotonic()
    answer = asyncio.run(_write(sink, batch))
    ms = round((time.monotonic() - began) * 1000, 1)
    outcome, reason = came_of(answer)
    return msgspec.convert({"outcome": outcome, "reason": reason, "ms": ms, **notes.told}, Exchange)


async def _write(sink: Sink, batch: Batch) -> Answer:
    try:
        return await sink.write(batch)
    except Exception as error:  # noqa: BLE001  # somebody else's sink may raise anything: nothing is known then
        return Busy(f"{type(error).__name__}: {error}")
    finally:
        await sink.aclose()


def _pairs(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return *headers* as plain text: a library's own kinds of text are not."""
    return [(str(name), str(value)) for name, value in headers.items()]


def _shown(body: bytes) -> str:
    text = body[:SHOWN_BYTES].decode(errors="replace")
    return text if len(body) <= SHOWN_BYTES else f"{text} … ({len(body)} bytes)"
