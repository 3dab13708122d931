"""An emitter that keeps what it is told, so that a bot's author can test what the bot says of itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Heard(NamedTuple):
    """One event that was emitted."""

    org: str
    bot: str
    session: str
    type: str
    data: dict[str, Any]


class ListeningLog:
    """The log of one session; see `ListeningEmitter`."""

    def __init__(self, org: str, bot: str, session: str, heard: list[Heard]) -> None:
        self._whose = (org, bot, session)
        self._heard = heard

    def emit(self, type: str, /, **data: object) -> bool:  # noqa: A002 - the word of CloudEvents
        """Keep the event; it is always taken."""
        self._heard.append(Heard(*self._whose, type, data))
        return True

    @contextmanager
    def action(self, name: str, /, *, kind: str, **data: object) -> Iterator[None]:
        """Keep that the action was invoked, and then that it succeeded, or failed with the exception itself."""
        self.emit("bot.action.invoked", action=name, kind=kind, **data)
        try:
            yield
        except BaseException as error:
            self.emit("bot.action.failed", action=name, kind=kind, error=error)
            raise
        self.emit("bot.action.succeeded", action=name, kind=kind)


class ListeningEmitter:
    """Stands in for `headrace.Emitter`: the same calls, and everything *heard* in its order, of all sessions."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []

    @contextmanager
    def session(self, *, org: str, bot: str, session: str) -> Iterator[ListeningLog]:
        """Return a log that writes to *heard*."""
        yield ListeningLog(org, bot, session, self.heard)

    @property
    def types(self) -> list[str]:
        """The types of all events."""
        return [event.type for event in self.heard]

    def of(self, type: str) -> list[dict[str, Any]]:  # noqa: A002 - the word of CloudEvents
        """Return the data of all events of one *type*."""
        return [event.data for event in self.heard if event.type == type]
