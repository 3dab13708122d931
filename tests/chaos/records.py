"""The append-only records of a run: who wrote what down, and when. All times are seconds since the epoch.

Nothing here is Headrace's own word for it: bots write before and after each emit, org servers what they received and
applied, an independent client what Kafka holds in the end.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec


class Row(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """One line of a file of records."""


class Emitting(Row, frozen=True):
    """A bot is about to emit the event *n*, the *k*th of its session."""

    n: int
    org: str
    session: str
    k: int
    at: float


class Emitted(Row, frozen=True):
    """The emit of *n* returned: whether the event was taken. Without this line nobody knows."""

    n: int
    taken: bool
    at: float


class Sent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event as its bytes say it; *n* is -1 where they are no event of a bot's. *digest* is of the bytes."""

    n: int
    org: str
    session: str
    k: int
    id: str
    digest: str


class Requested(Row, frozen=True):
    """A destination received a whole request, addressed to *org* there. *fault* is how it was told to behave.

    *sent_at* is the whole second that the signature names, and *worker* what the request says of who sent it.
    """

    request: int
    at: float
    sent_at: int
    destination: str
    org: str
    worker: str
    fault: str
    is_signed: bool
    events: list[Sent]


class Applied(Row, frozen=True):
    """The destination stored these events of a request, by their ids: what was there already is overwritten."""

    request: int
    at: float
    numbers: list[int]


class Refused(Row, frozen=True):
    """The destination said of these events of a request that it will never take them."""

    request: int
    numbers: list[int]


class Answered(Row, frozen=True):
    """The destination began its answer; without this line it hung, or cut the connection."""

    request: int
    at: float
    answer: str


class Held(Row, frozen=True):
    """A record that Kafka holds: on the events topic, on a tier or on the dead topic.

    Tier and dead records have the rest too. *is_settled* says whether the group's commit is past it.
    """

    kind: Literal["events", "tier", "dead"]
    topic: str
    partition: int
    offset: int
    at: float
    key: str
    event: Sent
    is_settled: bool
    destination: str = ""
    attempts: int = 0
    due: float = 0.0
    reason: str = ""
    error: str = ""
    origin: str = ""

    @property
    def place(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class Stored(Row, frozen=True):
    """A row of the event log, which is *org*'s there; *place* grows in the order of insertion."""

    place: int
    org: str
    event: Sent


class Injected(Row, frozen=True):
    """A fault began. *victim* names the process, the link or the org that it hit."""

    number: int
    kind: str
    victim: str
    at: float


class Healed(Row, frozen=True):
    """A fault ended, and whether it bit: *evidence* says how that is known."""

    number: int
    at: float
    bit: bool
    evidence: str


class Crashed(Row, frozen=True):
    """A worker or a bot ended by itself, and another one took its place, or did not end when it was told to."""

    name: str
    how: str
    at: float


class Overslept(Row, frozen=True):
    """The host let a process sleep so many seconds longer than it asked for."""

    at: float
    late: float


Record = (
    Emitting
    | Emitted
    | Requested
    | Applied
    | Refused
    | Answered
    | Held
    | Stored
    | Injected
    | Healed
    | Crashed
    | Overslept
)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


class Writer:
    """Appends to a file, each line at once, so that a process that is killed leaves whole lines but the last."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, record: Record) -> None:
        """Append one record; it survives the death of this process."""
        os.write(self._file, _encode(record) + b"\n")


def read(path: Path, start: int = 0) -> Iterator[Record]:
    """Read a file of records from the byte *start* up to its last whole line."""
    with path.open("rb") as lines:
        lines.seek(start)
        for line in lines:
            if line.endswith(b"\n"):
                yield _decode(line)
