"""A view's rows as lines of JSON (NDJSON): page after page of one question, as one document that begins at once."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated, Any

import msgspec

from headrace.console.view import View
from headrace.console.viewer import Viewer
from headrace.console.web.answers import Problem, problem
from headrace.errors import HeadraceError, UsageError

SUFFIX = ".ndjson"
"""What the path of a view ends in where its lines are asked for."""

MEDIA_TYPE = "application/x-ndjson"

USUAL = 10_000
MOST = 100_000
"""Lines of one answer."""

PORTION = 2_000
"""Rows that are read at once."""

Lines = Annotated[int, msgspec.Meta(ge=1, le=MOST, description="How many lines at most, beside the last.")]


class Portion(msgspec.Struct, frozen=True):
    """One page as *lines*, *count* of them, and where the next one goes on."""

    lines: bytes
    count: int
    next: str | None


Read = Callable[[msgspec.Struct], Awaitable[Portion]]
"""Reads one page of a view, and writes it."""


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The last line. *next* goes on as `after` where there is more, as it does where a *problem* ended it early.

    An answer without this line was broken off.
    """

    next: str | None
    problem: Problem | None = None


def limit_of(given: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    """Take the limit of lines out of what was *given*; raise `UsageError` for one that cannot be."""
    others = dict(given)
    asked = others.pop("limit", "")
    try:
        return msgspec.convert(asked or USUAL, Lines, strict=False), others
    except msgspec.ValidationError as error:
        raise UsageError(f"limit: {str(error)[0].lower()}{str(error)[1:]}") from None


def write_lines(view: View, answer: Any) -> Portion:
    """Write the rows of an *answer*."""
    assert view.rows is not None
    page = view.rows(answer)
    return Portion(b"".join(msgspec.json.encode(row) + b"\n" for row in page.rows), len(page.rows), page.next)


async def open_lines(ask: Any, limit: int, read: Read, viewer: Viewer) -> AsyncIterator[bytes]:
    """Read the first page, raising what that raises; return what yields the lines of it and of all that follow."""
    first = await read(_portion(ask, ask.after, limit))

    async def lines() -> AsyncIterator[bytes]:
        page, left = first, limit
        while True:
            left -= page.count
            yield page.lines
            if page.next is None or left <= 0:
                yield _line(End(next=page.next))
                return
            following = page.next
            try:
                page = await read(_portion(ask, following, left))
            except HeadraceError as error:
                # The status is long sent: what went wrong is told where the reader looks for how to go on.
                yield _line(End(next=following, problem=problem(error, viewer)))
                return

    return lines()


def _portion(ask: Any, after: str | None, left: int) -> Any:
    return msgspec.structs.replace(ask, after=after, limit=min(PORTION, left))


def _line(end: End) -> bytes:
    return msgspec.json.encode(end) + b"\n"
