"""From a CloudEvent's bytes to the few facts that the event log finds it by."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import msgspec

from headrace.model.mark import NOBODY
from headrace.wire.envelope import org_of_source

_INT64 = 1 << 63
_NOTHING = msgspec.Raw()


class Row(NamedTuple):
    """One event to be stored, in the order of the store's columns."""

    id: str
    source: str
    org: str
    session: str
    seq: int | None
    at: float
    type: str
    failed: bool
    value: bytes


class _Usual(msgspec.Struct, gc=False):
    """What nearly every event looks like; whatever does not is read by `_Odd`."""

    id: str
    source: str
    type: str
    subject: str = ""
    seq: Annotated[int, msgspec.Meta(ge=-_INT64, le=_INT64 - 1)] | None = None
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    data: "_Told | None" = None


class _Told(msgspec.Struct, gc=False):
    error: msgspec.Raw = _NOTHING


class _Odd(msgspec.Struct):
    """The same with anything where the design only asks for a string, or nothing."""

    id: str
    source: str
    type: str
    subject: Any = ""
    seq: Any = None
    time: Any = None
    data: Any = None


_usual = msgspec.json.Decoder(_Usual).decode
_odd = msgspec.json.Decoder(_Odd).decode
_org_of_source = lru_cache(maxsize=4096)(org_of_source)


def read(value: bytes, now: float, org: str = "") -> Row | str:
    """Read *value*; *now* stands in for a time that it does not tell. Return why not when it is no event."""
    try:
        event = _usual(value)
        at = event.time.timestamp() if event.time else now
    except (msgspec.ValidationError, OverflowError):
        return _read_odd(value, now, org)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"not an event: {error}"
    org = org or _org_of_source(event.source) or NOBODY
    # Only an object is an error; `"error": null` and the like say that there was none.
    failed = event.data is not None and event.data.error is not _NOTHING and bytes(event.data.error)[:1] == b"{"
    return Row(event.id, event.source, org, event.subject, event.seq, at, event.type, failed, value)


def _read_odd(value: bytes, now: float, org: str) -> Row | str:
    try:
        event = _odd(value)
    except (msgspec.ValidationError, RecursionError) as error:
        return f"not an event: {error}"
    session = event.subject if isinstance(event.subject, str) else ""
    org = org or _org_of_source(event.source) or NOBODY
    failed = isinstance(event.data, dict) and isinstance(event.data.get("error"), dict)
    return Row(event.id, event.source, org, session, _seq(event.seq), _at(event.time, now), event.type, failed, value)


def _seq(seq: object) -> int | None:
    if isinstance(seq, int) and not isinstance(seq, bool) and -_INT64 <= seq < _INT64:
        return seq
    return None


def _at(time: object, now: float) -> float:
    if not isinstance(time, str):
        return now
    try:
        at = datetime.fromisoformat(time)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return now
