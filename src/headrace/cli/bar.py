"""A progress bar on a terminal, drawn by rich."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class _Bar:
    def __init__(self, drawn: Progress, title: str, total: int | None) -> None:
        self._drawn = drawn
        self._task = drawn.add_task(title, total=total)

    def update(self, done: int, total: int | None = None) -> None:
        self._drawn.update(self._task, completed=done, total=total)


@contextmanager
def bar(title: str, total: int | None, stream: TextIO) -> Iterator[_Bar]:
    """Draw a bar on *stream* while the context lasts."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=stream)) as drawn:
        yield _Bar(drawn, title, total)
