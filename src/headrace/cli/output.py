"""What commands print: one document on standard output, progress on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

import msgspec

LINE_EVERY = 5.0
"""Seconds between two lines of progress where no terminal can redraw one."""


def emit_document(document: object, text: str, *, json: bool) -> None:
    """Print *document* as one line of JSON, or *text* for people. Call it last, and once."""
    print(msgspec.json.encode(document, enc_hook=str).decode() if json else text)


def say(text: str) -> None:
    """Tell on standard error what is being done now."""
    print(text, file=sys.stderr, flush=True)


class Progress(Protocol):
    """How far a long work has come."""

    def update(self, done: int, total: int | None = None) -> None:
        """Show that *done* of *total* is done; *total* None leaves the total as it was."""
        ...


@contextmanager
def progress(
    title: str,
    total: int | None = None,
    *,
    stream: TextIO | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[Progress]:
    """Show the progress of *title*: a bar on a terminal, elsewhere a line at most every `LINE_EVERY` seconds."""
    stream = stream or sys.stderr
    if not stream.isatty():
        lines = _Lines(title, total, stream, now)
        yield lines
        lines.end()
        return
    # A command that draws no bar does not pay for the library that does.
    from headrace.cli.bar import bar  # noqa: PLC0415

    with bar(title, total, stream) as shown:
        yield shown


class _Lines:
    def __init__(self, title: str, total: int | None, stream: TextIO, now: Callable[[], float]) -> None:
        self._title = title
        self._total = total
        self._stream = stream
        self._now = now
        self._next = now() + LINE_EVERY
        self._done = 0
        self._told: int | None = None

    def update(self, done: int, total: int | None = None) -> None:
        self._done = done
        self._total = self._total if total is None else total
        if self._now() >= self._next:
            self._tell()

    def end(self) -> None:
        """Tell the end, if it was not told."""
        if self._told != self._done:
            self._tell()

    def _tell(self) -> None:
        of = "" if self._total is None else f" of {self._total}"
        print(f"{self._title}: {self._done}{of}", file=self._stream, flush=True)
        self._told = self._done
        self._next = self._now() + LINE_EVERY
