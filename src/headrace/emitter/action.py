"""An action of a bot, from its call to its end, and how an exception is told."""

import os
import time
import traceback
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from headrace.model.taxonomy import ERROR_ORIGINS, ErrorDetail, ErrorOrigin

if TYPE_CHECKING:
    from headrace.emitter.session import SessionLog

CUSTOM_KINDS = frozenset({"apex", "flow", "function", "tool", "action"})
"""Kinds of action that an org writes itself; the others call a system, and fail by it."""

STACK_BYTES = 8192
MESSAGE_CHARACTERS = 2000
_FRAMES = 40


class Action:
    """Records `bot.action.invoked`, then `bot.action.succeeded`, or `bot.action.failed` and lets the exception go on.

    A plain `with` block, also around `await`. Inside, `output` adds what the action returned and `fail` records an
    error that it reported without throwing.
    """

    __slots__ = ("_error", "_log", "_outputs", "_start", "_words")

    def __init__(self, log: "SessionLog", name: str, kind: str, inputs: dict[str, Any]) -> None:
        self._log = log
        self._words = {"action": name, "kind": kind, "call": os.urandom(6).hex()}
        self._outputs: dict[str, Any] = inputs
        self._error: ErrorDetail | None = None
        self._start = 0.0

    def output(self, **outputs: Any) -> None:
        """Add what the action returned."""
        self._outputs.update(outputs)

    def fail(self, message: str, *, type: str = "Error", origin: ErrorOrigin | None = None, code: str = "") -> None:  # noqa: A002
        """Record that the action reported an error. *origin* follows from its kind unless it is said."""
        self._error = ErrorDetail(
            origin=origin or origin_of_kind(self._words["kind"]), type=type, message=message, code=code
        )

    def __enter__(self) -> Self:
        inputs, self._outputs = self._outputs, {}
        self._log.emit("bot.action.invoked", **self._words, **({"inputs": inputs} if inputs else {}))
        self._start = time.perf_counter()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        words: dict[str, Any] = {**self._words, "duration_ms": round((time.perf_counter() - self._start) * 1000, 3)}
        if error is not None:
            self._error = describe(error, origin_of_kind(self._words["kind"]))
            self._log.told = error
        if self._error is not None:
            self._log.emit("bot.action.failed", **words, error=self._error)
        else:
            self._log.emit("bot.action.succeeded", **words, **({"outputs": self._outputs} if self._outputs else {}))


def origin_of_kind(kind: str) -> ErrorOrigin:
    """Say whose fault an exception is by default when an action of *kind* throws it."""
    return "custom_code" if kind in CUSTOM_KINDS else "integration"


def describe(error: BaseException, origin: ErrorOrigin) -> ErrorDetail:
    """Tell *error* with its stack. An attribute `origin` of the exception, if it is one of the six, is the truth.

    Never raises, and bounds what it tells: an exception may refuse to be shown, or be very long.
    """
    own = getattr(error, "origin", None)
    try:
        message = str(error)
    except Exception:  # noqa: BLE001  a foreign __str__
        message = "<an exception that cannot be shown>"
    try:
        stack = "".join(islice(traceback.TracebackException.from_exception(error, limit=_FRAMES).format(), 200))
    except Exception:  # noqa: BLE001  as above
        stack = ""
    return ErrorDetail(
        origin=own if isinstance(own, str) and own in ERROR_ORIGINS else origin,  # type: ignore[arg-type]  # just checked
        type=type(error).__qualname__,
        message=message[:MESSAGE_CHARACTERS],
        stack=stack[-STACK_BYTES:],
    )
