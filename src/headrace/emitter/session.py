"""The log of one session: what a bot's code holds and emits to."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Token
from itertools import count
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec
from msgspec import UNSET

from headrace.emitter.action import Action, describe
from headrace.emitter.current import session as current_session
from headrace.emitter.encoding import OutgoingEvent
from headrace.errors import UsageError
from headrace.model.taxonomy import BotEvent, ErrorOrigin
from headrace.telemetry import traces
from headrace.wire.envelope import ORG

NAME_BYTES = 512
"""A bot's or a session's name may be so long."""


class Outlet(Protocol):
    """Where a log's events go: the emitter, whose parts are replaced after a fork."""

    @property
    def stamp(self) -> Callable[[], tuple[str, str]]: ...
    @property
    def encode(self) -> Callable[[OutgoingEvent], bytes]: ...
    @property
    def take(self) -> Callable[[bytes, bytes], bool]: ...


class SessionLog:
    """Emits the events of one session. Opened by `with`, it is also what `headrace.current()` returns inside.

    Opening and closing emit nothing by themselves, since a session may pass through many processes: say `started` and
    `ended` where it begins and ends. May be used from several threads and tasks; `seq` stays without repeats.
    """

    __slots__ = (
        "_data",
        "_key",
        "_outlet",
        "_seq",
        "_source",
        "_subject",
        "_tokens",
        "_trace",
        "_traceparent",
        "_turns",
        "told",
    )

    def __init__(
        self,
        outlet: Outlet,
        *,
        org: str,
        bot: str,
        session: str,
        seq: int,
        traceparent: str | None,
        data: dict[str, Any],
    ) -> None:
        if not isinstance(org, str) or not ORG.fullmatch(org):
            raise UsageError(f"org {org!r} is none: use 1 to 64 of the characters A-Z a-z 0-9 _ . - (not . or - first)")
        _check("bot", bot)
        _check("session", session)
        if "/" in bot:
            raise UsageError(f"bot {bot!r} holds a /, which separates the parts of an event's source")
        self._outlet = outlet
        self._key = f"{org}/{session}".encode()
        self._source = f"/orgs/{org}/bots/{bot}"
        self._subject = session
        self._seq = count(seq).__next__
        self._traceparent = traceparent or UNSET
        self._trace = traces.current if not traceparent and traces.is_active() else None
        self._data = data
        self._turns = count(1)
        self._tokens: list[Token[SessionLog | None]] = []
        self.told: BaseException | None = None

    def emit(self, type: str | BotEvent, /, **data: Any) -> bool:  # noqa: A002  CloudEvents' own word
        """Emit one event, by its name or as a value of the taxonomy; return whether it was taken.

        Returns at once and never raises, whatever Kafka, the disk or a value in *data* does.
        """
        if not isinstance(type, str):
            fields = msgspec.structs.asdict(type)
            data = {name: value for name, value in fields.items() if not _is_left_out(value)} | data
            type = type.type  # noqa: A001
        if self._data:
            data = {**self._data, **data}
        outlet = self._outlet
        id_, now = outlet.stamp()
        traceparent = self._traceparent if self._trace is None else self._trace() or UNSET
        event = OutgoingEvent(id_, self._source, self._subject, type, now, self._seq(), data, traceparent)
        return outlet.take(self._key, outlet.encode(event))

    def action(self, name: str, /, kind: str = "function", **inputs: Any) -> Action:
        """Record an action from its call to its end: `with log.action("LookUpOrder", kind="apex", order=42): …`."""
        return Action(self, name, kind, inputs)

    @contextmanager
    def turn(self, **data: Any) -> Iterator[int]:
        """Open a turn: the bot's dealing with one input. Events inside carry its number, which counts from 1.

        An exception that leaves the turn is recorded, as one of the bot's logic unless it says or an action said
        otherwise, and goes on.
        """
        number = next(self._turns)
        outer, self._data = self._data, {**self._data, "turn": number}
        start = time.perf_counter()
        self.emit("bot.turn.started", **data)
        try:
            yield number
        except Exception as error:
            if error is not self.told:
                self.exception(error)
            raise
        finally:
            self.emit("bot.turn.ended", duration_ms=round((time.perf_counter() - start) * 1000, 3))
            self._data = outer

    def exception(
        self, error: BaseException, *, origin: ErrorOrigin = "bot_logic", handled: bool = False, **data: Any
    ) -> bool:
        """Record an exception outside of an action; an attribute `origin` of its own goes before *origin*."""
        self.told = error
        return self.emit("bot.exception.raised", error=describe(error, origin), handled=handled, **data)

    def started(self, **data: Any) -> bool:
        """Emit `bot.session.started`."""
        return self.emit("bot.session.started", **data)

    def ended(self, reason: str = "", **data: Any) -> bool:
        """Emit `bot.session.ended`."""
        return self.emit("bot.session.ended", reason=reason, **data)

    def __enter__(self) -> Self:
        self._tokens.append(current_session.set(self))
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ValueError):  # an async generator may end in another context than it began in
            current_session.reset(self._tokens.pop())


def _check(what: str, name: object) -> None:
    if not isinstance(name, str) or not name:
        raise UsageError(f"{what} {name!r} is no name: give a text that is not empty")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise UsageError(f"{what} {name!r} holds a lone surrogate, which UTF-8 cannot carry") from None
    if size > NAME_BYTES:
        raise UsageError(f"{what} {name[:40]!r}… has {size} bytes; at most {NAME_BYTES} are taken")


def _is_left_out(value: object) -> bool:
    """Whether a field of the taxonomy was not given: those that may be have None, or nothing, for a default."""
    return value is None or (isinstance(value, str | dict) and not value)
