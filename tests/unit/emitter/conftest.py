"""An emitter's surroundings that a test holds in its hand: an outlet that remembers, a producer that obeys."""

from itertools import count
from typing import Any

import msgspec
import pytest

from emitting import ObedientProducer
from headrace.emitter.encoding import Encoding
from headrace.emitter.session import SessionLog


class RememberingOutlet:
    """Takes every event and keeps it, decoded."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.values: list[bytes] = []
        self.events: list[dict[str, Any]] = []
        self.takes = True
        self.encode = Encoding(lambda: None)
        self._ids = count()

    def stamp(self) -> tuple[str, str]:
        return f"id-{next(self._ids)}", "2026-11-23T10:00:00.000000Z"

    def take(self, key: bytes, value: bytes) -> bool:
        if self.takes:
            self.keys.append(key)
            self.values.append(value)
            self.events.append(msgspec.json.decode(value))
        return self.takes

    def log(self, seq: int = 0, traceparent: str | None = None, **data: Any) -> SessionLog:
        return SessionLog(self, org="o", bot="b", session="s", seq=seq, traceparent=traceparent, data=data)

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


@pytest.fixture
def outlet() -> RememberingOutlet:
    return RememberingOutlet()


@pytest.fixture
def producer() -> ObedientProducer:
    return ObedientProducer()
