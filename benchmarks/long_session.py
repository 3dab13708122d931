"""A session of ten thousand events, as a bot in a shop window may have: turns, actions, variables, errors."""

import random
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import msgspec

from eventlog_pages import BATCH, LENGTH, ORGS, event
from headrace.wire.times import to_text

SESSION = "s-of-ten-thousand"
EVENTS = 10_000
APART = 0.3
"""Seconds between two events."""

FAILS_EVERY = 40
"""Turns."""

STACK = "\n".join(f'  File "/srv/bot/shop/part{depth}.py", line {40 + depth}, in step{depth}' for depth in range(12))


AMONG = 10
"""Events of others that come between two of its own, so that no page of the store holds two of them."""

OTHERS = 90_000_000
"""The number of the first session of the others."""


def batches(org: str, begun: float) -> Iterator[list[bytes]]:
    """Yield its events in their order, the first at *begun*, among those of other sessions of the org."""
    rng, others, batch = random.Random(2), count(), list[bytes]()
    for value in long_session(org, begun):
        batch.append(value)
        for number in islice(others, AMONG):
            session, seq = divmod(number, LENGTH)
            batch.append(event(OTHERS + session, seq, ORGS.index(org), begun, rng))
        if len(batch) >= BATCH:
            yield batch
            batch = []
    yield batch


def long_session(org: str, begun: float) -> Iterator[bytes]:
    """Yield its events in their order, the first at *begun*."""
    for seq, (type_, data) in enumerate(_story()):
        yield msgspec.json.encode(
            {
                "specversion": "1.0",
                "id": f"{SESSION}-{seq:05}",
                "source": f"/orgs/{org}/bots/bot-0",
                "subject": SESSION,
                "type": type_,
                "time": to_text(begun + APART * seq),
                "seq": seq,
                "data": data,
            }
        )


def _story() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "bot.session.started", {"channel": "web", "user": "u-window", "version": "3.1"}
    told, turn = 1, 0
    while told < EVENTS:
        for each in list(_turn(turn))[: EVENTS - told]:
            yield each
            told += 1
        turn += 1


def _turn(turn: int) -> Iterator[tuple[str, dict[str, Any]]]:
    order = {"order": turn, "customer": {"name": "Ada", "city": "Zürich"}, "items": [f"item {n}" for n in range(8)]}
    action = {"action": "LookUpOrder", "kind": "apex", "call": f"call-{turn}"}
    yield "bot.turn.started", {"turn": turn, "input": "text"}
    yield "bot.message.received", {"text": f"Where is my order {turn}? It was to be here yesterday, and it is not."}
    yield "bot.intent.detected", {"intent": "order_status", "confidence": 0.93}
    yield "bot.dialog.entered", {"dialog": "order_status", "via": "intent"}
    yield "bot.variable.set", {"variable": f"order{turn % 20}", "value": order, "by": "user"}
    yield "bot.action.invoked", {**action, "inputs": order}
    if turn % FAILS_EVERY == 7:
        error = {"origin": "custom_code", "type": "OrderNotFound", "message": f"no order {turn}", "stack": STACK}
        yield "bot.action.failed", {**action, "error": error, "duration_ms": 120}
    else:
        yield "bot.action.succeeded", {**action, "outputs": {"state": "on its way", **order}, "duration_ms": 120}
    yield "bot.variable.set", {"variable": "state", "value": f"on its way, {turn}", "by": "bot"}
    yield "bot.dialog.exited", {"dialog": "order_status", "outcome": "completed"}
    yield "bot.message.sent", {"text": f"Your order {turn} is on its way, and will be with you today before noon."}
    yield "bot.turn.ended", {"turn": turn, "duration_ms": 300}
