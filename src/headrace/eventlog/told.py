"""What an event tells in its `data`, read as anybody's: a field that is missing or of another kind is no error."""

from typing import Any

import msgspec

from headrace.eventlog.plain_error import take_apart
from headrace.eventlog.stacks import frames
from headrace.model.taxonomy import FAILURES


class ErrorTold(msgspec.Struct, frozen=True, kw_only=True):
    """The error of a failed event. *frames* are nearest to the place that threw, that one last; *stack* has all."""

    origin: str
    type: str
    message: str
    code: str
    frames: tuple[str, ...]
    stack: str = ""


class _Event(msgspec.Struct):
    type: Any = None
    data: Any = None


_decode = msgspec.json.Decoder(_Event).decode


class Told:
    """The data of the event *value*, a CloudEvent."""

    def __init__(self, value: bytes) -> None:
        try:
            event = _decode(value)
        except (msgspec.DecodeError, RecursionError):
            event = _Event()
        self.data = event.data
        self._is_failure = isinstance(event.type, str) and event.type in FAILURES
        self._fields: dict[str, Any] = self.data if isinstance(self.data, dict) else {}

    def text(self, name: str) -> str:
        """Return the field *name* as text, empty when it is not there."""
        value = self._fields.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else as_json(value)

    def number(self, name: str) -> float | None:
        """Return the field *name* if it is a number."""
        value = self._fields.get(name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def fields(self, name: str) -> dict[str, Any]:
        """Return the field *name* if it is an object, else an empty one."""
        value = self._fields.get(name)
        return value if isinstance(value, dict) else {}

    def value(self, name: str) -> object:
        """Return the field *name* as it is."""
        return self._fields.get(name)

    def error(self) -> ErrorTold | None:
        """Return the error that the data holds, or that the type says there was, if any."""
        error = self._fields.get("error")
        if not isinstance(error, dict):
            return _worded(self.text("error")) if self._is_failure else None
        origin, type_, message, code, stack = (
            value if isinstance(value, str) else "" if value is None else as_json(value)
            for value in map(error.get, ("origin", "type", "message", "code", "stack"))
        )
        told = error.get("stack")
        return ErrorTold(
            origin=origin,
            type=type_ or "Error",
            message=message,
            code=code,
            frames=frames(stack),
            stack=told if isinstance(told, str) else "",
        )

    def place(self) -> str:
        """Say where it happened: the action, or the dialog and step; empty when it tells neither."""
        if action := self.text("action") or self.text("tool"):
            kind = self.text("kind")
            return f"action {action} ({kind})" if kind else f"action {action}"
        dialog, step = self.text("dialog"), self.text("step")
        parts = [f"dialog {dialog}" if dialog else "", f"step {step}" if step else ""]
        return ", ".join(filter(None, parts))


def _worded(text: str) -> ErrorTold:
    type_, message, stack = take_apart(text)
    return ErrorTold(origin="", type=type_ or "Error", message=message, code="", frames=frames(stack), stack=stack)


def as_json(value: object) -> str:
    """Write *value* as short JSON."""
    return msgspec.json.encode(value).decode()
