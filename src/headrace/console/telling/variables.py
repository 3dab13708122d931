"""What a session's variables were before a step, and after it."""

from collections.abc import Iterable

import msgspec

from headrace.console.telling.steps import VALUE, fields_of
from headrace.console.telling.texts import Shown, short, shown
from headrace.eventlog.port import StoredEvent
from headrace.eventlog.told import Told


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """One variable around a step: its JSON *before* and *after*, None while it has none. *by* is who set it last."""

    name: str
    before: Shown | None
    after: Shown | None
    is_changed: bool
    by: str = ""


Place = tuple[bool, int, float, str]
"""Where an event stands in its session."""


def place_of(event: StoredEvent) -> Place:
    """Return where *event* stands, to be compared with others of its session."""
    return event.seq is None, event.seq or 0, event.at, event.id


def around(events: Iterable[StoredEvent], first: Place, last: Place, *, most: int) -> list[Variable] | None:
    """Fold *events*, those that set variables in their order, up to before *first* and up to and with *last*.

    Return None where these are more than *most*.
    """
    before: dict[str, msgspec.Raw] = {}
    after: dict[str, msgspec.Raw] = {}
    by: dict[str, str] = {}
    for number, event in enumerate(events):
        place = place_of(event)
        if place > last:
            break
        if number == most:
            return None
        told = Told(event.value)
        name = told.text("variable")
        value = fields_of(event.value).get("value", msgspec.Raw(b"null"))
        after[name], by[name] = value, told.text("by")
        if place < first:
            before[name] = value
    return [
        Variable(
            name=shown(name, VALUE).text,
            before=short(before[name], VALUE) if name in before else None,
            after=short(value, VALUE),
            is_changed=name not in before or bytes(before[name]) != bytes(value),
            by=shown(by[name], 40).text,
        )
        for name, value in after.items()
    ]
