"""Whose a retry or dead record is, as the books of worker and audit both count it, and what a dead letter says."""

import msgspec

from headrace.model.mark import NOBODY, Mark
from headrace.model.record import Record
from headrace.wire.envelope import Bad, org_of, org_of_key, org_of_letter, read
from headrace.wire.headers import decode


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the dead topic. *id*, *source* and *type* are empty where the value is no event.

    *died* is in seconds since the epoch. *mark* is None where somebody wrote a record there without the headers of
    one; *error* then says what is missing.
    """

    partition: int
    offset: int
    org: str
    destination: str
    id: str
    source: str
    mark: Mark | None
    died: float
    error: str
    key: bytes | None
    value: bytes | None
    type: str = ""

    @property
    def position(self) -> str:
        """`partition/offset` in the dead topic: how a person names the letter."""
        return f"{self.partition}/{self.offset}"


def read_letter(record: Record) -> DeadLetter:
    """Read a record of the dead topic; nothing in it makes this raise."""
    mark, error = _mark_of(record)
    key, value = record.key(), record.value()
    envelope = read(value)
    id_, source, type_ = ("",) * 3 if isinstance(envelope, Bad) else (envelope.id, envelope.source, envelope.type)
    return DeadLetter(
        partition=record.partition(),
        offset=record.offset(),
        org=_org_of(key, value, mark),
        destination=mark.destination if mark else NOBODY,
        id=id_,
        source=source,
        mark=mark,
        died=mark.due_at if mark else record.timestamp()[1] / 1000,
        error=mark.error if mark else error,
        key=key,
        value=value,
        type=type_,
    )


def cell_of(record: Record) -> tuple[str, str]:
    """Return the org and the destination of a retry or dead record; `-` where it has none."""
    mark, _ = _mark_of(record)
    return _org_of(record.key(), record.value(), mark), mark.destination if mark else NOBODY


def _mark_of(record: Record) -> tuple[Mark | None, str]:
    try:
        return decode(record.headers()), ""
    except ValueError as error:
        return None, str(error)


def _org_of(key: bytes | None, value: bytes | None, mark: Mark | None) -> str:
    by_key = org_of_key(key)
    if by_key and mark is not None and mark.reason not in {"bad_org", "org_mismatch"}:
        return by_key
    envelope = read(value)
    if isinstance(envelope, Bad):
        return org_of_letter(key, envelope.reason)
    org = org_of(key, envelope.source)
    return org_of_letter(key, org.reason) if isinstance(org, Bad) else org
