"""What the books are made of: tiles, and the notes of redrives (design, section 3.5)."""

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


class Redriven(msgspec.Struct, frozen=True, kw_only=True):
    """One record that a redrive put on a tier."""

    org: str
    destination: str
    tier: str


class RedriveNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="redrive"):
    """A dead letter was put back: its place in the dead topic, whose it was, and the records that were made of it."""

    topic: str
    partition: int
    offset: int
    org: str
    destination: str
    at: str
    records: list[Redriven]
