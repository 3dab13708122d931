"""The session that the running code belongs to, for code that is not handed its log: an action deep in the bot.

It follows `contextvars`: asyncio tasks and `asyncio.to_thread` inherit it, a bare `threading.Thread` does not.
"""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.emitter.action import Action
    from headrace.emitter.session import SessionLog
    from headrace.model.taxonomy import BotEvent

session: ContextVar["SessionLog | None"] = ContextVar("headrace_session", default=None)


def current() -> "SessionLog | None":
    """Return the log of the innermost open session; None outside of any."""
    return session.get()


def emit(type: "str | BotEvent", /, **data: Any) -> bool:  # noqa: A002  CloudEvents' own word
    """Emit into the current session; return whether the event was taken, which it is not outside of any."""
    log = session.get()
    return log is not None and log.emit(type, **data)


def action(name: str, /, kind: str = "function", **inputs: Any) -> "AbstractContextManager[Action | None]":
    """Record an action of the current session; outside of any the code runs unrecorded."""
    log = session.get()
    return nullcontext() if log is None else log.action(name, kind, **inputs)
