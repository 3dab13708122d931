"""What the bot needs of Headrace: the log of one session, and the emitter that gives it."""

from contextlib import AbstractContextManager
from typing import Protocol


class Log(Protocol):
    """Where one session's events go; `headrace.Emitter.session` gives one."""

    def emit(self, type: str, /, **data: object) -> bool:  # noqa: A002 - the word of CloudEvents
        """Say what happened, and return whether it was taken."""
        ...

    def action(self, name: str, /, *, kind: str) -> AbstractContextManager[object]:
        """Record what the block does: invoked, then succeeded, or failed with the exception that it raised."""
        ...


class Emits(Protocol):
    """The part of `headrace.Emitter` that a conversation uses."""

    def session(self, *, org: str, bot: str, session: str) -> AbstractContextManager[Log]:
        """Return the log of one *session* of the *org*'s *bot*."""
        ...
