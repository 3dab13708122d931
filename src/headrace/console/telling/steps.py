"""A session's events as steps: what happened, to what, with what came in and out, one to a line of its story."""

from collections.abc import Mapping, Sequence

import msgspec

from headrace.console.telling.faults import Fault, fault_of
from headrace.console.telling.texts import Shown, short, shown
from headrace.eventlog.phrases import Kind
from headrace.eventlog.port import StoredEvent
from headrace.eventlog.story import Line, tell

VALUE = 300
"""Characters that are shown of one value."""

FIELDS = 100
"""Fields that are shown of one object."""


class Field(msgspec.Struct, frozen=True):
    """One field of an event's data: its name, and its value as JSON."""

    name: str
    value: Shown


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a session. *name* names it in a URL: the `seq` of its event, or else its id.

    *end_name* names the event that completed it, *end_at* is when that was, *took* how many seconds were told.
    *missing* is how many events before it never came. *inputs* and *outputs* are those of an action or a tool.
    """

    name: str
    id: str
    seq: int | None
    at: float
    type: str
    kind: Kind
    verb: str
    text: Shown
    depth: int
    took: float | None = None
    end_name: str = ""
    end_at: float | None = None
    missing: int = 0
    inputs: list[Field] = []
    outputs: list[Field] = []
    fault: Fault | None = None


class _Event(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")


_event = msgspec.json.Decoder(_Event).decode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def steps_of(events: Sequence[StoredEvent], *, is_begin: bool = True) -> list[Step]:
    """Return the steps of *events*, which come in order. *is_begin*: nothing of the session came before them."""
    names = names_of(events)
    gaps = gaps_of(events, is_begin=is_begin)
    steps = []
    following = 0
    for line in tell(events):
        steps.append(_step(line, events, names, missing=sum(gaps[following : line.place + 1])))
        following = line.place + 1
    return steps


def names_of(events: Sequence[StoredEvent]) -> list[str]:
    """Return what each event is called: its `seq`, where that is not taken yet, or its id; no two alike."""
    seen: set[str] = set()
    names = []
    for place, event in enumerate(events):
        candidates = ("" if event.seq is None else str(event.seq), event.id, f"{event.id}~{place}")
        name = next(each for each in candidates if each and each not in seen)
        seen.add(name)
        names.append(name)
    return names


def gaps_of(events: Sequence[StoredEvent], *, is_begin: bool = True) -> list[int]:
    """Return how many events are missing right before each of *events*, by their `seq`, which counts from 0."""
    following = 0 if is_begin else None
    missing = []
    for event in events:
        gap = 0
        if event.seq is not None:
            gap = 0 if following is None else max(0, event.seq - following)
            following = max(following or 0, event.seq + 1)
        missing.append(gap)
    return missing


def fields_of(value: bytes) -> Mapping[str, msgspec.Raw]:
    """Return the fields of an event's data, each as the bytes that stand there."""
    return _fields(_data(value))


def shown_fields(fields: Mapping[str, msgspec.Raw]) -> list[Field]:
    """Return *fields* as they are shown."""
    return [Field(shown(name, VALUE).text, short(value, VALUE)) for name, value in list(fields.items())[:FIELDS]]


def inner_fields(fields: Mapping[str, msgspec.Raw], name: str) -> list[Field]:
    """Return the fields of the object that the field *name* is, if it is one, as they are shown."""
    return shown_fields(_fields(fields.get(name)))


def _step(line: Line, events: Sequence[StoredEvent], names: Sequence[str], *, missing: int) -> Step:
    event = events[line.place]
    end = None if line.end is None else events[line.end]
    data = fields_of(event.value)
    ended = {} if end is None else fields_of(end.value)
    failed = end if end is not None and end.failed else event
    return Step(
        name=names[line.place],
        id=event.id,
        seq=event.seq,
        at=line.at,
        type=event.type,
        kind=line.kind,
        verb=line.verb,
        text=shown(line.text),
        depth=line.depth,
        took=None if line.duration_ms is None else line.duration_ms / 1000,
        end_name="" if line.end is None else names[line.end],
        end_at=None if end is None else end.at,
        missing=missing,
        inputs=inner_fields(data, "inputs"),
        outputs=inner_fields(ended or data, "outputs"),
        fault=fault_of(failed.value) if failed.failed else None,
    )


def _data(value: bytes) -> msgspec.Raw | None:
    try:
        return _event(value).data
    except (msgspec.DecodeError, RecursionError):
        return None


def _fields(raw: msgspec.Raw | None) -> Mapping[str, msgspec.Raw]:
    try:
        return {} if raw is None else _object(raw)
    except (msgspec.DecodeError, RecursionError):
        return {}
