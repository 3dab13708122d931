"""`headrace emit FILE|-`: events from lines of JSON, through the emitter."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
from cyclopts import Parameter

from headrace import app
from headrace import config as configuration
from headrace.cli.output import Progress, emit_document, progress, say
from headrace.cli.plain import plain
from headrace.emitter.session import SessionLog
from headrace.errors import BrokerError, TopicMissing, UsageError
from headrace.runtime import Emitter

# Else a lone hyphen would be read as an option.
File = Annotated[str, Parameter(allow_leading_hyphen=True)]

WINDOW = 20_000
"""So many events may wait for Kafka before reading pauses."""

LOOK_EVERY = 500
NAMED = 100
"""So many bad lines stand in the document; standard error has all of them."""


class Line(msgspec.Struct, frozen=True):
    """What a line must hold."""

    org: str
    bot: str
    session: str
    type: Annotated[str, msgspec.Meta(min_length=1)]
    data: dict[str, Any] = {}


class BadLine(msgspec.Struct, frozen=True):
    """A line that is no event, and why."""

    line: int
    error: str


class EmitDocument(msgspec.Struct, kw_only=True):
    """What `--json` prints. *emitted* events were taken; *unacknowledged* ones of them lie in the journal."""

    lines: int = 0
    emitted: int = 0
    bad: int = 0
    unacknowledged: int = 0
    bad_lines: list[BadLine] = []


def emit(file: File, /, *, timeout: float = 30.0, config: Path | None = None, json: bool = False) -> int:
    """Emit one event per line of JSON: {"org": …, "bot": …, "session": …, "type": …, "data": {…}}.

    Exits 0 when Kafka has acknowledged all. Bad lines are named, counted and left out, and make it exit 1. What Kafka
    did not acknowledge in time stays in the journal, from where the next emitter on this host sends it.

    Example: headrace emit events.jsonl

    Parameters
    ----------
    file
        A file of JSON lines, or - for standard input.
    timeout
        How many seconds to wait for Kafka while it acknowledges nothing.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    _check_topic(config)
    with _opened(file) as stream, progress("emitted") as shown:
        emitter = Emitter.from_config(config)
        try:
            document = _Run(emitter, timeout, shown).emit(stream)
        finally:
            emitter.close(0)
    bad = f"; {document.bad} bad line{'' if document.bad == 1 else 's'} left out" if document.bad else ""
    waiting = f"; {document.unacknowledged} wait in the journal" if document.unacknowledged else ""
    emit_document(document, f"{document.emitted} events of {document.lines} lines emitted{bad}{waiting}.", json=json)
    return 1 if document.bad or document.unacknowledged else 0


class _Run:
    """One reading of one stream."""

    def __init__(self, emitter: Emitter, timeout: float, shown: Progress) -> None:
        self._emitter = emitter
        self._timeout = timeout
        self._shown = shown
        self._decode = msgspec.json.Decoder(Line).decode
        self._logs: dict[tuple[str, str, str], SessionLog] = {}
        self._document = EmitDocument(bad_lines=[])

    def emit(self, stream: BinaryIO) -> EmitDocument:
        document = self._document
        for text in stream:
            document.lines += 1
            if text.strip():
                self._emit(text)
            if document.lines % LOOK_EVERY == 0:
                self._shown.update(document.emitted)
                self._wait(WINDOW)
        self._shown.update(document.emitted)
        document.unacknowledged = self._wait(0)
        return document

    def _emit(self, text: bytes) -> None:
        try:
            line = self._decode(text)
            log = self._log(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UsageError) as error:
            self._name(str(error))
            return
        if log.emit(line.type, **line.data):
            self._document.emitted += 1
        else:
            self._name(f"not taken: {', '.join(self._emitter.stats().dropped)}")

    def _log(self, line: Line) -> SessionLog:
        """Return the log of the line's session, one for all its lines, which counts them."""
        name = (line.org, line.bot, line.session)
        if name not in self._logs:
            self._logs[name] = self._emitter.session(org=line.org, bot=line.bot, session=line.session)
        return self._logs[name]

    def _name(self, error: str) -> None:
        bad = BadLine(self._document.lines, error)
        self._document.bad += 1
        if len(self._document.bad_lines) < NAMED:
            self._document.bad_lines.append(bad)
        say(f"line {bad.line}: {plain(error)}")

    def _wait(self, most: int) -> int:
        """Wait until at most *most* events are not acknowledged; raise when a window does not move in time."""
        before, deadline = sys.maxsize, 0.0
        while (left := self._emitter.stats().unacknowledged) > most:
            if left < before:
                before, deadline = left, time.monotonic() + self._timeout
            elif time.monotonic() > deadline:
                if most == 0:
                    break
                raise BrokerError(
                    f"Kafka acknowledges nothing since {self._timeout:g} s; lines 1 to {self._document.lines} lie in "
                    f"the journal and will be sent, so begin again with line {self._document.lines + 1}"
                )
            time.sleep(0.01)
        return left


def _check_topic(path: Path | None) -> None:
    """Raise before anything is read when the events could go nowhere."""
    config = configuration.load(path)
    reader = app.broker(config).reader()
    try:
        if config.names.events not in reader.topics():
            raise TopicMissing(f"the topic {config.names.events} does not exist; `headrace topics apply` makes it")
    finally:
        reader.close()


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as stream:
            yield stream
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
