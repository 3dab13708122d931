"""What came of the test sends of late, in memory, so that the page to which a form leads back can show it."""

from typing import Protocol

import msgspec

from headrace.errors import UsageError
from headrace.model.exchange import Exchange

MOST = 200
"""Test sends that are remembered."""


class Rehearse(Protocol):
    """Posts one event, whose id and value are given, for *org* to *destination*, once and at once."""

    def __call__(self, destination: str, org: str, id_: str, value: bytes) -> Exchange: ...


def not_here(destination: str, org: str, id_: str, value: bytes) -> Exchange:  # noqa: ARG001
    """Refuse: this console makes no sinks."""
    raise UsageError("this console cannot send tests")


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """One test send. *at* is in seconds since the epoch."""

    id: str
    at: float
    by: str
    org: str
    destination: str
    exchange: Exchange


class Rehearsals:
    """Remembers test sends, the latest `MOST`. Any thread calls it."""

    def __init__(self) -> None:
        self._known: dict[str, Rehearsal] = {}

    def add(self, rehearsal: Rehearsal) -> None:
        """Remember *rehearsal*."""
        kept = list(self._known.values())[-(MOST - 1) :]
        self._known = {each.id: each for each in (*kept, rehearsal)}

    def get(self, id_: str) -> Rehearsal | None:
        """Return the one with this id, if it is remembered."""
        return self._known.get(id_)
