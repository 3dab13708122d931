"""One record of the events topic as the live tail shows it: read in passing, and written out only when it is shown."""

from functools import cached_property

import msgspec

from headrace.eventlog.phrases import phrase
from headrace.eventlog.told import Told
from headrace.model.mark import NOBODY
from headrace.model.record import Record
from headrace.model.taxonomy import FAILURES
from headrace.wire.envelope import Bad, org_of, org_of_letter, read
from headrace.wire.times import from_text

LATEST = 253_402_300_799.0
"""The end of the year 9999, beyond which a time cannot be shown."""

LINE = 500
"""Characters of a line before it is cut."""


class TailRow(msgspec.Struct, frozen=True, kw_only=True):
    """One event on one line. *at* is its own time, in seconds since the epoch, None when it tells none.

    *session* is empty when it has none, *type* when the record is no event; *what* then says why. *position* is
    `partition/offset` in the events topic.
    """

    position: str
    at: float | None
    org: str
    session: str
    type: str
    id: str
    what: str
    failed: bool


class _Face(msgspec.Struct):
    time: object = None
    subject: object = ""


_face = msgspec.json.Decoder(_Face).decode


class Seen:
    """A record, of which no more is read than somebody asks for."""

    def __init__(self, record: Record) -> None:
        self.position = f"{record.partition()}/{record.offset()}"
        self._value = record.value() or b""
        envelope = read(self._value)
        self._bad = envelope if isinstance(envelope, Bad) else None
        if isinstance(envelope, Bad):
            self.org, self.type, self.id = org_of_letter(record.key(), envelope.reason), "", ""
            return
        owner = org_of(record.key(), envelope.source)
        self.org = NOBODY if isinstance(owner, Bad) else owner
        self.type, self.id = envelope.type, envelope.id

    @property
    def session(self) -> str:
        subject = self._face.subject
        return subject if isinstance(subject, str) else ""

    @property
    def has_error(self) -> bool:
        if self._bad is not None or self.type in FAILURES:
            return True
        return b'"error"' in self._value and self._told.error() is not None

    @cached_property
    def row(self) -> TailRow:
        """The line."""
        return TailRow(
            position=self.position,
            at=self._at(),
            org=self.org,
            session=self.session,
            type=self.type,
            id=self.id,
            what=self._line(),
            failed=self.has_error,
        )

    @cached_property
    def _face(self) -> _Face:
        return _Face() if self._bad else _face(self._value)

    @cached_property
    def _told(self) -> Told:
        return Told(self._value)

    def _at(self) -> float | None:
        try:
            at = from_text(self._face.time) if isinstance(self._face.time, str) else -1.0
        except (ValueError, OverflowError):
            return None
        return at if 0 <= at < LATEST else None

    def _line(self) -> str:
        if self._bad is not None:
            line = f"no event ({self._bad.reason}): {self._bad.error}"
        else:
            kind, verb, words = phrase(self.type, self._told)
            error = self._told.error()
            line = f"{verb}{':' if kind in {'person', 'bot'} else ''} {words}".strip()
            line += f" → {': '.join(filter(None, (error.type, error.message)))}" if error else ""
        return line if len(line) <= LINE else f"{line[: LINE - 1]}…"
