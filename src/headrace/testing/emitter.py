"""An emitter that keeps what it is told, so that a bot's author can test what the bot says of itself."""

from typing import Any

import msgspec

from headrace.emitter.encoding import Encoding
from headrace.emitter.session import SessionLog
from headrace.emitter.stamp import Stamper


class Heard(msgspec.Struct, frozen=True):
    """One event as a destination would get it, as far as tests look at it."""

    source: str
    subject: str
    type: str
    seq: int
    data: dict[str, Any]

    @property
    def org(self) -> str:
        """The org that the event belongs to."""
        return self.source.split("/")[2]


class ListeningEmitter:
    """Stands in for `headrace.Emitter`: real session logs, whose events end in *heard* instead of in Kafka.

    *heard* has all sessions' events, in the order of their emits. *unencodable* counts values that were no JSON.
    """

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.unencodable = 0
        self.stamp = Stamper()
        self.encode = Encoding(self._count)

    def session(self, *, org: str, bot: str, session: str, seq: int = 0, **data: Any) -> SessionLog:
        """Return the log of a session, as `Emitter.session` does."""
        return SessionLog(self, org=org, bot=bot, session=session, seq=seq, traceparent=None, data=data)

    def take(self, key: bytes, value: bytes) -> bool:
        """Keep one event; it is always taken."""
        event = msgspec.json.decode(value, type=Heard)
        assert key.decode() == f"{event.org}/{event.subject}"
        self.heard.append(event)
        return True

    @property
    def types(self) -> list[str]:
        """The types of all events."""
        return [event.type for event in self.heard]

    def of(self, type: str) -> list[dict[str, Any]]:  # noqa: A002 - the word of CloudEvents
        """Return the data of all events of one *type*."""
        return [event.data for event in self.heard if event.type == type]

    def _count(self) -> None:
        self.unencodable += 1
