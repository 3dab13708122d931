"""The documents of the attempts topic: attempts, tiles and redrive notes (design, section 3.5).

Each is JSON with a `kind`, keyed by the `topic/partition` that it is about.
"""

import msgspec

from headrace.model.mark import DeadReason


class Count(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How a tile's records ended for one org at one destination."""

    org: str
    destination: str
    delivered: int = 0
    tiers: dict[str, int] = {}
    dead: dict[DeadReason, int] = {}

    @property
    def total(self) -> int:
        return self.delivered + sum(self.tiers.values()) + sum(self.dead.values())


class Tile(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="tile"):
    """One settled chunk: the offsets `first` up to, not including, `next`, and how each org's part of it ended.

    *id* is unique; *previous* is the id of the tile before it in the same partition, None for the first ever.
    *records* is how many records the chunk held. A main record counts once per destination that it is routed to,
    a tier's record once.
    """

    id: str
    previous: str | None
    topic: str
    partition: int
    first: int
    next: int
    records: int
    at: str
    counts: list[Count]


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Offsets of one partition that were in a post: the lowest, the highest and how many."""

    topic: str
    partition: int
    first: int
    last: int
    events: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="attempt"):
    """One post of one batch and what it came to. *ms* is how long it took."""

    org: str
    destination: str
    at: str
    ms: float
    events: int
    bytes: int
    delivered: int = 0
    retryable: int = 0
    rejected: int = 0
    error: str = ""
    spans: list[Span] = []


class Redriven(msgspec.Struct, frozen=True, kw_only=True):
    """One record that a redrive put on a tier."""

    org: str
    destination: str
    tier: str


class RedriveNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="redrive"):
    """A dead letter was put back: its place in the dead topic, and the records that were made of it."""

    topic: str
    partition: int
    offset: int
    at: str
    records: list[Redriven]


Document = Tile | Attempt | RedriveNote

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Document).decode


def key(topic: str, partition: int) -> bytes:
    """Return the key of all documents about one partition."""
    return f"{topic}/{partition}".encode()
