"""Dead letters as the console remembers them: one row each, the kind of its error, and which ones are meant."""

import re
from operator import attrgetter
from typing import Literal

import msgspec

from headrace.model.record import Record
from headrace.wire.letters import DeadLetter, read_letter

State = Literal["open", "redriven", "unknown"]
"""A letter is open until a redrive has noted it. Unknown: it is older than what the console remembers, or what was
noted has not been read yet.
"""

Position = tuple[int, int]
"""Partition and offset in the dead topic."""

KIND = 120
"""Characters of a kind."""

# A number of four digits or more, an address, a time or an id differs from letter to letter; a status does not.
_PARTICULAR = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b0x[0-9a-f]+\b|\b(?=[a-z]*\d)[0-9a-f]{8,}\b|\d[\d.:,]{3,}\d|\d{4,}",
    re.IGNORECASE,
)


class Letter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is remembered of one dead letter. *kind* is its error without what differs from letter to letter.

    *session*, *id* and *type* are empty where the record tells none; times are seconds since the epoch; *size* is how
    many bytes the value has. *redriven_before* says that it had been a dead letter already.
    """

    partition: int
    offset: int
    org: str
    destination: str
    reason: str
    error: str
    kind: str
    id: str
    type: str
    session: str
    attempts: int
    origin: str
    first_failed_at: float | None
    died: float
    size: int
    redriven_before: bool

    @property
    def position(self) -> Position:
        return self.partition, self.offset

    @property
    def place(self) -> tuple[float, int, int]:
        """Where it stands among all, the oldest first."""
        return place_of(self)


place_of = attrgetter("died", "partition", "offset")
"""What `Letter.place` is, told by C: a hundred thousand are sorted by it."""


class LetterRow(Letter, frozen=True, kw_only=True):
    """A letter on a page: *redriven_at* is when a redrive put it back."""

    state: State
    redriven_at: float | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which letters are meant, died from *since* up to *until*; what is None leaves the choice open.

    *text* is looked for, whatever its case, in error, event id, type, session, org and destination.
    """

    org: str | None = None
    destination: str | None = None
    reason: str | None = None
    kind: str | None = None
    text: str = ""
    since: float | None = None
    until: float | None = None
    state: State | None = None


def kind_of(error: str) -> str:
    """Return *error* without what differs from letter to letter, so that like errors count as one."""
    kind = _PARTICULAR.sub("…", error)
    return kind if len(kind) <= KIND else f"{kind[: KIND - 1]}…"


def remember(record: Record) -> Letter:
    """Read what is remembered of a record of the dead topic; nothing in it makes this raise."""
    return letter_of(read_letter(record))


def letter_of(letter: DeadLetter) -> Letter:
    """Return what is remembered of *letter*."""
    mark = letter.mark
    return Letter(
        partition=letter.partition,
        offset=letter.offset,
        org=letter.org,
        destination=letter.destination,
        reason=mark.reason if mark else "",
        error=letter.error,
        kind=kind_of(letter.error),
        id=letter.id,
        type=letter.type,
        session=session_of(letter.key),
        attempts=mark.attempts if mark else 0,
        origin=str(mark.origin) if mark else "",
        first_failed_at=mark.first_failed_at if mark else None,
        died=letter.died,
        size=len(letter.value or b""),
        redriven_before=bool(mark and mark.redriven),
    )


def session_of(key: bytes | None) -> str:
    """Return the session that a record's key names, empty when it names none."""
    _, slash, session = (key or b"").partition(b"/")
    return session.decode(errors="replace") if slash else ""
