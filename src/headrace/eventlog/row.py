"""From a CloudEvent's bytes to the few facts that the event log finds it by."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from headrace.model.mark import NOBODY
from headrace.model.taxonomy import FAILURES
from headrace.wire.envelope import org_of_source

T = TypeVar("T")

_INT64 = 1 << 63
_Seq = Annotated[int, msgspec.Meta(ge=-_INT64, le=_INT64 - 1)]

_FIRST = -62_135_596_800.0
"""The year 1 in UTC: before it a time cannot be shown, and is none."""

AHEAD = 31 * 86_400.0
"""Seconds that an event's time may be ahead of now. What is later would stand before all others, and outlast every
retention; it is taken for none."""

_NOTHING = msgspec.Raw()


class Row(NamedTuple):
    """One event to be stored. *is_dated* says that *at* is its own time, and so the same when it comes again."""

    id: str
    source: str
    org: str
    session: str
    seq: int | None
    at: float
    type: str
    failed: bool
    value: bytes
    is_dated: bool = True


class _Usual(msgspec.Struct, gc=False):
    """What nearly every event looks like; whatever does not is read by `_Odd`."""

    id: str
    source: str
    type: str
    subject: str = ""
    seq: _Seq | None = None
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    data: "_Told | None" = None


class _Told(msgspec.Struct, gc=False):
    error: msgspec.Raw = _NOTHING


class _Odd(msgspec.Struct):
    """The same with anything where the design only asks for a string, or for nothing."""

    id: str
    source: str
    type: str
    subject: msgspec.Raw = _NOTHING
    seq: msgspec.Raw = _NOTHING
    time: msgspec.Raw = _NOTHING
    data: msgspec.Raw = _NOTHING


_usual = msgspec.json.Decoder(_Usual).decode
_odd = msgspec.json.Decoder(_Odd).decode
_text = msgspec.json.Decoder(str).decode
_integer = msgspec.json.Decoder(_Seq).decode
_told = msgspec.json.Decoder(_Told).decode
_org_of_source = lru_cache(maxsize=4096)(org_of_source)


def read(value: bytes, now: float, org: str = "") -> Row | str:
    """Read *value*; *now* stands in for a time that it does not tell. Return why not when it is no event."""
    try:
        if not value.isascii():
            value.decode()
        event = _usual(value)
        at = event.time.timestamp() if event.time else None
    except UnicodeDecodeError as error:
        return f"not an event: {error}"
    except (msgspec.DecodeError, RecursionError):
        return _read_odd(value, now, org)
    is_dated = at is not None and _FIRST <= at <= now + AHEAD
    return Row(
        event.id,
        event.source,
        org or _org_of_source(event.source) or NOBODY,
        event.subject,
        event.seq,
        at if at is not None and is_dated else now,
        event.type,
        event.type in FAILURES or (event.data is not None and _is_error(event.data)),
        value,
        is_dated,
    )


def read_all(
    values: Sequence[bytes], orgs: Sequence[str], now: float
) -> tuple[dict[tuple[str, str], Row], dict[int, str]]:
    """Read *values*, each event once, by source and id; and by position why a value is no event."""
    rows: dict[tuple[str, str], Row] = {}
    refused: dict[int, str] = {}
    for position, value in enumerate(values):
        row = read(value, now, orgs[position] if orgs else "")
        if isinstance(row, str):
            refused[position] = row
        else:
            rows.setdefault((row.source, row.id), row)
    return rows, refused


def _read_odd(value: bytes, now: float, org: str) -> Row | str:
    try:
        event = _odd(value)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"not an event: {error}"
    told = _loosely(_told, event.data)
    at = _at(_loosely(_text, event.time), now)
    return Row(
        event.id,
        event.source,
        org or _org_of_source(event.source) or NOBODY,
        _loosely(_text, event.subject) or "",
        _loosely(_integer, event.seq),
        now if at is None else at,
        event.type,
        event.type in FAILURES or (told is not None and _is_error(told)),
        value,
        at is not None,
    )


def _loosely(decode: Callable[[msgspec.Raw], T], raw: msgspec.Raw) -> T | None:
    """Read *raw*; None when it is not there, or is something else."""
    try:
        return None if raw is _NOTHING else decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None


def _at(time: str | None, now: float) -> float | None:
    try:
        at = datetime.fromisoformat(time or "")
    except ValueError:
        return None
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return seconds if _FIRST <= seconds <= now + AHEAD else None


def _is_error(told: _Told) -> bool:
    """Where the type says nothing, only an object is an error; `"error": null` and the like say that there was none."""
    return told.error is not _NOTHING and bytes(told.error)[:1] == b"{"
