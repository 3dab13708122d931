"""A line that is told again and again: redrawn in its place on a terminal, elsewhere told when it changed."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from headrace.cli.output import LINE_EVERY

_CLEAR = "\r\x1b[2K"


class Ticker:
    """The last line of what a long work tells; what is said meanwhile stands above it.

    Where no terminal can redraw it, it is told at most every `LINE_EVERY` seconds.
    """

    def __init__(self, stream: TextIO | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._now = now
        self._redraws = self._stream.isatty()
        self._line = ""
        self._next = 0.0

    def show(self, line: str) -> None:
        """Tell *line* in the place of the one before it."""
        if self._redraws:
            self._line = line
            self._draw()
        elif line != self._line and self._now() >= self._next:
            self._line = line
            self._next = self._now() + LINE_EVERY
            self._write(f"{line}\n")

    def say(self, text: str) -> None:
        """Tell *text*, which stays."""
        self._write(f"{_CLEAR}{text}\n" if self._redraws else f"{text}\n")
        if self._redraws:
            self._draw()

    def end(self) -> None:
        """Leave the last line where it is."""
        if self._redraws and self._line:
            self._write("\n")

    def _draw(self) -> None:
        # A line that wraps cannot be cleared as one.
        self._write(_CLEAR + self._line[: shutil.get_terminal_size().columns - 1])

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
