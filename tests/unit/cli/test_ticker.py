"""The line at the end of what the demo tells."""

import io

import pytest

from headrace.cli.ticker import Ticker
from headrace.testing.clock import FakeClock


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_one_line_again_and_again_and_what_is_said_above_it() -> None:
    terminal = Terminal()
    ticker = Ticker(terminal)
    ticker.show("delivered 1")
    ticker.show("delivered 2")
    ticker.say("broken")
    ticker.end()
    clear = "\r\x1b[2K"
    assert terminal.getvalue() == (f"{clear}delivered 1{clear}delivered 2{clear}broken\n{clear}delivered 2\n")


def test_a_terminal_never_wraps_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    terminal = Terminal()
    Ticker(terminal).show("delivered 1,000,000")
    assert terminal.getvalue() == "\r\x1b[2Kdelivered"


def test_without_a_terminal_the_line_is_told_now_and_then_and_only_when_it_changed() -> None:
    clock, stream = FakeClock(), io.StringIO()
    ticker = Ticker(stream, clock.monotonic)
    for line in ("delivered 1", "delivered 2", "delivered 2"):
        ticker.show(line)
    clock.advance(5)
    ticker.show("delivered 1")
    ticker.show("delivered 3")
    clock.advance(5)
    ticker.show("delivered 3")
    ticker.say("broken")
    ticker.end()
    assert stream.getvalue() == "delivered 1\ndelivered 3\nbroken\n"
