"""Events as the bots of many orgs emit them, quick to make: heads that differ, and data from a pool."""

import json
import random
import time
from collections.abc import Iterator, Sequence

EVENTS_OF_A_SESSION = 25
POOL = 512

WORDS = [
    "where",
    "is",
    "my",
    "order",
    "I",
    "would",
    "like",
    "to",
    "return",
    "the",
    "blue",
    "one",
    "please",
    "and",
    "who",
    "pays",
    "for",
    "that",
    "thank",
    "you",
    "it",
    "was",
    "promised",
    "for",
    "monday",
    "but",
    "nobody",
    "called",
    "can",
    "you",
    "look",
    "up",
    "the",
    "contract",
    "number",
    "again",
    "the",
    "invoice",
    "shows",
    "another",
    "address",
    "since",
    "may",
]

DATA: Sequence[tuple[str, dict[str, object]]] = (
    ("bot.message.received", {"channel": "web"}),
    ("bot.intent.detected", {"intent": "order_status", "confidence": 0.93, "language": "en_US"}),
    ("bot.step.executed", {"dialog": "Order_Status", "step": "Ask_Order_Number", "duration_ms": 12}),
    ("bot.variable.set", {"name": "orderNumber", "type": "text"}),
    ("bot.action.invoked", {"action": "LookUpOrder", "kind": "apex"}),
    ("bot.action.succeeded", {"action": "LookUpOrder", "kind": "apex", "duration_ms": 184}),
    ("bot.message.sent", {"channel": "web", "template": "Order_Found"}),
)


def org_name(number: int) -> str:
    """Return the id of an org, as Salesforce writes one."""
    return f"00D{number:012d}"


def traffic(count: int, orgs: int, size: int, seed: int = 1) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of *count* events of about *size* bytes, those of *orgs* orgs mixed at random.

    Each org has one session at a time, of 25 events; the same seed gives the same events, but for their times.
    """
    rng = random.Random(seed)
    emitted = [0] * orgs
    began = int(time.time() * 1000)
    tails = _tails(rng, size - _head_bytes())
    for number in range(count):
        owner = rng.randrange(orgs)
        session, seq = divmod(emitted[owner], EVENTS_OF_A_SESSION)
        emitted[owner] += 1
        org = org_name(owner)
        name = f"5b2e{session:04x}-7d10-4c3e-9a41-{owner:012x}"
        kind, data = tails[number % POOL]
        yield (
            f"{org}/{name}".encode(),
            _head(org, name, kind, number, seq, began, rng.getrandbits(48)) + data,
        )


def _head(org: str, session: str, kind: str, number: int, seq: int, began: int, noise: int) -> bytes:
    moment = f"{began + number // 10:012x}"
    return (
        f'{{"specversion":"1.0","id":"{moment[:8]}-{moment[8:]}-7{number & 0xFFF:03x}-8{number >> 12 & 0xFFF:03x}'
        f'-{noise:012x}","source":"/orgs/{org}/bots/helpdesk","subject":"{session}","type":"{kind}",'
        f'"time":"2026-11-23T10:{number // 600_000 % 60:02d}:{number // 10_000 % 60:02d}.{number % 10_000:04d}00Z",'
        f'"seq":{seq},"datacontenttype":"application/json","data":'
    ).encode()


def _head_bytes() -> int:
    return len(_head(org_name(0), "5b2e0000-7d10-4c3e-9a41-000000000000", "bot.step.executed", 0, 0, 1 << 40, 0))


def _tails(rng: random.Random, size: int) -> list[tuple[str, bytes]]:
    """Make the pool: types, and the ends of their values, of *size* bytes."""
    tails = []
    for _ in range(POOL):
        kind, data = rng.choice(DATA)
        text = " ".join(rng.choices(WORDS, k=max(1, size // 4)))
        room = max(1, size - len(json.dumps({**data, "text": ""}, separators=(",", ":"))) - 1)
        tails.append((kind, json.dumps({**data, "text": text[:room]}, separators=(",", ":")).encode() + b"}"))
    return tails
