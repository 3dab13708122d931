"""Conversations for tests of pages: told by the real emitter's session logs, with times of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from headrace.console.viewer import Viewer
from headrace.emitter.session import SessionLog
from headrace.eventlog.memory import MemoryEventLog
from headrace.testing.clock import EPOCH, FakeClock
from headrace.testing.emitter import ListeningEmitter
from headrace.wire.times import to_text
from unit.console.asking_client import Asking, open_site

OPERATOR = Viewer("olga")
ACME = Viewer("ada", "acme")


class OrderNotFound(Exception):
    """What the custom code of these bots throws."""


class Recorder(ListeningEmitter):
    """Keeps what is emitted as the log would get it, each event a second after the one before."""

    def __init__(self, begin: float) -> None:
        super().__init__()
        self.values: list[bytes] = []
        self._at = begin

    def take(self, key: bytes, value: bytes) -> bool:
        self._at += 1.0
        document = msgspec.json.decode(value) | {"time": to_text(self._at)}
        self.values.append(msgspec.json.encode(document))
        return super().take(key, value)


def order_status(log: SessionLog, *, fails: bool = True, user: str = "u-7") -> None:
    """Ask for an order, which custom code does not find."""
    log.emit("bot.session.started", channel="web", language="en", version="3.1", user=user)
    with log.turn(input="text"):
        log.emit("bot.message.received", text="Where is my order?")
        log.emit("bot.intent.detected", intent="order_status", confidence=0.93)
        log.emit("bot.dialog.entered", dialog="order_status", via="intent")
        log.emit("bot.variable.set", variable="number", value=12345678901234567890, by="user")
        with suppress(OrderNotFound), log.action("LookUpOrder", kind="apex", number=7):
            if fails:
                raise OrderNotFound("no order 7")
        log.emit("bot.variable.set", variable="number", value=None, by="bot")
        log.emit("bot.dialog.exited", dialog="order_status", outcome="failed" if fails else "completed")
        log.emit("bot.message.sent", text="I found no such order.")
    log.emit("bot.session.ended", reason="user")


def told(
    *sessions: str, org: str = "acme", talk: Callable[[SessionLog], None] = order_status, begin: float = EPOCH - 600
) -> list[bytes]:
    """Return the events of *sessions*, each a *talk*."""
    recorder = Recorder(begin)
    for session in sessions:
        talk(recorder.session(org=org, bot="helpdesk", session=session))
    return recorder.values


@contextmanager
def site_of(values: list[bytes], viewer: Viewer = OPERATOR, **more: Any) -> Iterator[Asking]:
    """Open a site over an event log that holds *values*."""
    clock = more.pop("clock", None) or FakeClock()
    log = MemoryEventLog(clock)
    log.upsert(values)
    with open_site(log=log, clock=clock, viewer=viewer, **more) as site:
        yield site
