"""The documents of the attempts topic: attempts, tiles and redrive notes (design, section 3.5).

Each is JSON with a `kind`, keyed by the `topic/partition` that it is about.
"""

import msgspec

from headrace.model.tile import Count, Redriven, RedriveNote, Tile

__all__ = ["Attempt", "Count", "Document", "RedriveNote", "Redriven", "Span", "Tile", "decode", "encode", "key"]


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Offsets of one partition that were in a post: the lowest, the highest and how many."""

    topic: str
    partition: int
    first: int
    last: int
    events: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="attempt"):
    """One post of one batch and what it came to. *ms* is how long it took.

    *age_ms* is how old its first event was when something of it was delivered: the time from the bot to here. 0:
    nothing was, or nobody knows.
    """

    org: str
    destination: str
    at: str
    ms: float
    events: int
    bytes: int
    delivered: int = 0
    retryable: int = 0
    rejected: int = 0
    age_ms: float = 0.0
    error: str = ""
    spans: list[Span] = []


Document = Tile | Attempt | RedriveNote

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Document).decode


def key(topic: str, partition: int) -> bytes:
    """Return the key of all documents about one partition."""
    return f"{topic}/{partition}".encode()
