"""A plain intent recogniser: patterns, each with the weight of its evidence."""

import re
from typing import NamedTuple

THRESHOLD = 0.4
"""Below this confidence the bot says that it did not understand."""


class Intent(NamedTuple):
    """What the customer seems to want, and how sure the recogniser is, from 0 to 1."""

    name: str
    confidence: float


_EVIDENCE: dict[str, dict[str, float]] = {
    "welcome": {r"\b(hi|hello|hey|good (morning|evening))\b": 0.5},
    "order_status": {
        r"\bwhere\b": 0.35,
        r"\b(order|parcel|package)\b": 0.35,
        r"\b(track|status|arrive[sd]?|deliver(y|ed)?)\b": 0.5,
    },
    "return_item": {r"\b(return|send (it|this) back|refund)\b": 0.8, r"\b(broken|wrong size|wrong colou?r)\b": 0.45},
    "reset_password": {
        r"\bpassword\b": 0.7,
        r"\b(log ?in|sign in|locked out)\b": 0.5,
        r"\b(reset|forgot(ten)?)\b": 0.4,
    },
    "talk_to_human": {r"\b(human|person|agent|someone)\b": 0.6, r"\b(talk|speak)\b": 0.4},
    "goodbye": {
        r"\b(bye|goodbye)\b": 0.8,
        r"\b(that was all|nothing else)\b": 0.6,
        r"^no(,? thanks?| thank you)?\W*$": 0.5,
        r"\bthanks?\b": 0.2,
    },
}


def recognise(text: str) -> Intent:
    """Return the likeliest intent of *text*; with no evidence at all it is `unknown` with confidence 0.

    Each pattern that matches leaves less doubt: two weights of 0.5 make a confidence of 0.75.
    """
    doubts = dict.fromkeys(_EVIDENCE, 1.0)
    for name, patterns in _EVIDENCE.items():
        for pattern, weight in patterns.items():
            if re.search(pattern, text, re.IGNORECASE):
                doubts[name] *= 1 - weight
    name = min(doubts, key=lambda intent: doubts[intent])
    confidence = round(1 - doubts[name], 2)
    return Intent(name, confidence) if confidence else Intent("unknown", 0.0)
