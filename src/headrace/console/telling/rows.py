"""A session's events one by one, as the log has them."""

from collections.abc import Sequence

import msgspec

from headrace.console.telling.steps import gaps_of, names_of
from headrace.console.telling.texts import Shown, pretty, shown
from headrace.eventlog.phrases import phrase
from headrace.eventlog.port import StoredEvent
from headrace.eventlog.told import Told

LONGEST = 4_000
"""Characters of an event's JSON that a row shows."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One event: *after* is how many seconds it came after the one before, *json* is the event, indented."""

    name: str
    id: str
    seq: int | None
    at: float
    after: float
    type: str
    text: Shown
    failed: bool
    missing: int
    json: Shown


def rows_of(events: Sequence[StoredEvent], *, is_begin: bool = True) -> list[Row]:
    """Return *events*, which come in order, as rows."""
    rows = []
    previous = events[0].at if events else 0.0
    for name, event, missing in zip(names_of(events), events, gaps_of(events, is_begin=is_begin), strict=True):
        _, verb, text = phrase(event.type, Told(event.value))
        rows.append(
            Row(
                name=name,
                id=event.id,
                seq=event.seq,
                at=event.at,
                after=event.at - previous,
                type=event.type,
                text=shown(f"{verb} {text}".strip(), 500),
                failed=event.failed,
                missing=missing,
                json=pretty(event.value, LONGEST),
            )
        )
        previous = event.at
    return rows
