"""Dead letters on the screen: the rows of `dead list`, the page of `dead show`, and how positions are written."""

import base64
from collections.abc import Iterator, Sequence

import msgspec

from headrace.cli.plain import columns, plain
from headrace.errors import UsageError
from headrace.retry.dead import Position, State
from headrace.wire.letters import DeadLetter
from headrace.wire.times import to_text

ERROR_SHOWN = 60
"""Characters of an error that a list has room for."""


class Row(msgspec.Struct, kw_only=True):
    """A dead letter in a list. *reason* and *origin* are empty where the record lacks the headers of one."""

    position: str
    id: str
    source: str
    org: str
    destination: str
    reason: str = ""
    error: str
    attempts: int = 0
    origin: str = ""
    dead_at: str
    state: State


class Page(msgspec.Struct, kw_only=True):
    """A dead letter whole. A value that is not UTF-8 is in *value_base64*; one that is missing is in neither."""

    letter: Row
    first_failed_at: str = ""
    came_from_redrive: bool = False
    key: str | None = None
    value: str | None = None
    value_base64: str | None = None


def row_of(letter: DeadLetter, state: State) -> Row:
    """Sum a letter up."""
    row = Row(
        position=letter.position,
        id=letter.id,
        source=letter.source,
        org=letter.org,
        destination=letter.destination,
        error=letter.error,
        dead_at=to_text(letter.died),
        state=state,
    )
    if letter.mark is not None:
        row.reason = letter.mark.reason
        row.attempts = letter.mark.attempts
        row.origin = str(letter.mark.origin)
    return row


def page_of(letter: DeadLetter, state: State) -> Page:
    """Show a letter whole, value and all."""
    page = Page(letter=row_of(letter, state))
    if letter.mark is not None:
        page.first_failed_at = to_text(letter.mark.first_failed_at)
        page.came_from_redrive = letter.mark.redriven
    if letter.key is not None:
        page.key = letter.key.decode(errors="replace")
    if letter.value is not None:
        try:
            page.value = letter.value.decode()
        except UnicodeDecodeError:
            page.value_base64 = base64.b64encode(letter.value).decode()
    return page


def list_text(rows: Sequence[Row]) -> str:
    """Write rows for people."""
    if not rows:
        return "No dead letters."
    table = [["position", "dead at", "org", "destination", "reason", "attempts", "error"]]
    table += [
        [row.position, row.dead_at, row.org, row.destination, row.reason, str(row.attempts), row.error[:ERROR_SHOWN]]
        for row in rows
    ]
    count = "1 dead letter." if len(rows) == 1 else f"{len(rows)} dead letters."
    return columns([[plain(cell) for cell in line] for line in table], left=len(table[0])) + f"\n\n{count}"


def page_text(page: Page) -> str:
    """Write a page for people: nothing in it can act on the terminal."""
    return "\n".join(_page_lines(page))


def _page_lines(page: Page) -> Iterator[str]:
    fields = msgspec.structs.asdict(page.letter) | {
        "first failed at": page.first_failed_at,
        "came from a redrive": "yes" if page.came_from_redrive else "no",
        "key": "(none)" if page.key is None else page.key,
    }
    yield columns([[name.replace("_", " "), plain(str(value))] for name, value in fields.items()], left=2)
    yield ""
    if page.value is not None:
        yield from map(plain, page.value.split("\n"))
    elif page.value_base64 is not None:
        yield f"The value is not UTF-8; in base64: {page.value_base64}"
    else:
        yield "The record has no value."


def position_of(text: str) -> Position:
    """Read `partition/offset`; raise `UsageError` when it is not that."""
    partition, slash, offset = text.partition("/")
    if not slash or not (partition + offset).isdecimal() or not partition or not offset:
        raise UsageError(f"{text!r} is no position of a dead letter, such as 3/17; `headrace dead list` shows them")
    return int(partition), int(offset)
