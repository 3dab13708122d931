"""A conversation's events as lines: what each tells, and whether it stands in the event log already."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from headrace.demo.arrivals import Log
from headrace.demo.chat import Conversation
from headrace.eventlog.fingerprint import failure
from headrace.eventlog.pages import Page
from headrace.eventlog.phrases import Kind, pairs, phrase
from headrace.eventlog.port import EventQuery, StoredEvent
from headrace.eventlog.told import Told
from headrace.model import taxonomy

LATEST = 1000
"""Events that are read of one conversation; none of the chat has more."""


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the conversation. *after* is how many seconds after its emit it stood in the event log.

    *state*: `log` when it was read from the event log, else `way`. What the error of a failed one says is in *error*;
    *fingerprint* names its exception.
    """

    seq: int | None
    id: str
    at: float
    type: str
    kind: Kind
    verb: str
    text: str
    state: Literal["log", "way"]
    after: float | None = None
    error: str = ""
    fingerprint: str = ""


def read_log(org: str, session: str, conversation: Conversation | None, log: Log, now: float) -> Sequence[LogLine]:
    """Return what the event log holds of *session*, and after it what is on its way."""
    # Asked first: what arrives in between is then told twice, of which once is left out, and never not at all.
    due = conversation.events.on_the_way() if conversation else ()
    stored: Page[StoredEvent] = log.find_events(EventQuery(org=org, session=session, limit=LATEST))
    known = {event.id for event in stored.rows}
    delays: Mapping[str, float] = {}
    if conversation is not None:
        conversation.events.arrived(known, now)
        delays = conversation.events.delays()
    lines = [_line(event, "log", delays.get(event.id)) for event in stored.rows]
    return lines + [_line(event, "way", None) for event in due if event.id not in known]


def _line(event: StoredEvent, state: Literal["log", "way"], after: float | None) -> LogLine:
    kind, verb, text = _words(event.type, Told(event.value))
    failed = failure(event.value) if event.failed else None
    return LogLine(
        seq=event.seq,
        id=event.id,
        at=event.at,
        type=event.type,
        kind=kind,
        verb=verb,
        text=text,
        state=state,
        after=after,
        error=": ".join(filter(None, (failed.type, failed.message))) if failed else "",
        fingerprint=failed.fingerprint if failed else "",
    )


def _words(type_: str, told: Told) -> tuple[Kind, str, str]:
    """Say what an event tells. Ends have lines of their own here, since each event arrives on its own."""
    match type_:
        case taxonomy.TurnEnded.type:
            return "step", "turn ended", _milliseconds(told)
        case taxonomy.ActionSucceeded.type:
            outputs = told.fields("outputs")
            action = told.text("action")
            return "step", "returned", f"{action} → {pairs(outputs)}" if outputs else action
        case taxonomy.ActionFailed.type:
            return "step", "failed", f"{told.text('action')} ({told.text('kind')})"
    return phrase(type_, told)


def _milliseconds(told: Told) -> str:
    duration = told.number("duration_ms")
    return "" if duration is None else f"after {duration:.1f} ms"
