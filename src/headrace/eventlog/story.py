"""A session's events as a story: turns, what was said, and what the bot did in between, step by step."""

from collections.abc import Iterable

import msgspec

from headrace.eventlog.phrases import Kind, pairs, phrase
from headrace.eventlog.port import StoredEvent
from headrace.eventlog.told import ErrorTold, Told
from headrace.model import taxonomy

DEEPEST = 4
"""Lines further inside stand no further in."""


class Line(msgspec.Struct, kw_only=True):
    """One line of a story. *verb* says what happened, *text* to what, *depth* how far inside dialogs and actions.

    *place* is that of its event among those told, *end* of the event that completed it, as far as one did.
    """

    place: int
    end: int | None = None
    at: float
    kind: Kind
    verb: str
    text: str = ""
    depth: int = 0
    duration_ms: float | None = None
    error: ErrorTold | None = None


def tell(events: Iterable[StoredEvent]) -> list[Line]:
    """Tell *events*, which come in order; ends of turns and actions complete the line of their begin."""
    story = _Story()
    for place, event in enumerate(events):
        story.add(place, event, Told(event.value))
    return story.end()


class _Story:
    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._turn: Line | None = None
        self._dialogs: list[str] = []
        self._actions: dict[str, Line] = {}

    def add(self, place: int, event: StoredEvent, told: Told) -> None:
        match event.type:
            case taxonomy.TurnEnded.type if self._turn is not None:
                self._turn.duration_ms, self._turn.end, self._turn = told.number("duration_ms"), place, None
            case taxonomy.ActionSucceeded.type | taxonomy.ActionFailed.type if (
                call := told.text("call")
            ) in self._actions:
                self._end_action(self._actions.pop(call), place, told)
            case taxonomy.DialogExited.type:
                self._exit(told.text("dialog"))
                self._append(place, event, told)
            case _:
                line = self._append(place, event, told)
                self._open(event.type, told, line)

    def end(self) -> list[Line]:
        """Return the lines; what was begun and not ended says so."""
        for line in self._actions.values():
            line.text = f"{line.text} (no end recorded)"
        return self.lines

    def _append(self, place: int, event: StoredEvent, told: Told) -> Line:
        kind, verb, text = phrase(event.type, told)
        depth = min(len(self._dialogs) + len(self._actions), DEEPEST) if kind == "step" else 0
        line = Line(
            place=place,
            at=event.at,
            kind=kind,
            verb=verb,
            text=text,
            depth=depth,
            duration_ms=told.number("duration_ms"),
            error=told.error(),
        )
        self.lines.append(line)
        return line

    def _open(self, type_: str, told: Told, line: Line) -> None:
        if type_ == taxonomy.TurnStarted.type:
            self._turn = line
        elif type_ == taxonomy.DialogEntered.type:
            self._dialogs.append(told.text("dialog"))
        elif type_ == taxonomy.ActionInvoked.type and told.text("call"):
            self._actions[told.text("call")] = line

    @staticmethod
    def _end_action(line: Line, place: int, told: Told) -> None:
        line.duration_ms, line.end = told.number("duration_ms"), place
        line.error = told.error()
        if outputs := told.fields("outputs"):
            line.text = f"{line.text} → {pairs(outputs)}"

    def _exit(self, dialog: str) -> None:
        """Leave *dialog*, and what was entered inside it and never left."""
        if dialog in self._dialogs:
            del self._dialogs[len(self._dialogs) - 1 - self._dialogs[::-1].index(dialog) :]
