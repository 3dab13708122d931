"""`headrace audit`: the ledger."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from headrace import app
from headrace import config as configuration
from headrace.cli.output import emit_document, progress
from headrace.cli.plain import columns, plain
from headrace.core.positions import Position, Positions
from headrace.errors import UsageError
from headrace.ledger.audit import audit as close_books
from headrace.ledger.report import Line, Report, report

COLUMNS = (
    "accepted",
    "delivered",
    "rejected",
    "retrying",
    "in_flight",
    "retried",
    "lost",
    "duplicates",
    "expired",
)


class _Former(msgspec.Struct):
    """What is wanted of a former report."""

    positions: dict[str, dict[int, Position]]


def audit(
    *,
    org: str | None = None,
    deep: Annotated[bool, Parameter(negative=())] = False,
    at: Path | None = None,
    config: Path | None = None,
    json: bool = False,
) -> int:
    """Balance the ledger: what was accepted against what was delivered, rejected, is retrying or in flight.

    It may be run while workers work. Exits 1 when it does not balance, and names partition and range of what is
    missing.

    Example: headrace audit --deep

    Parameters
    ----------
    org
        Show the books of this org only.
    deep
        Read every record and compare by id as well. It takes about as long as reading all topics.
    at
        Close the books where they were closed before: a file with what audit --json printed or what the console
        answers at /api/v1/books, or - for standard input. The routes are those in force now.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    positions = None if at is None else _positions_in(at)
    loaded = configuration.load(config)
    reader = app.broker(loaded).reader()
    try:
        with progress("reading records") as bar:
            routes = app.destinations_of(loaded)
            closed = close_books(reader, loaded.names, routes, deep=deep, at=positions, seen=bar.update)
    finally:
        reader.close()
    document = report(closed, org)
    emit_document(document, "\n".join(_text(document)), json=json)
    return 0 if document.balanced else 1


def _positions_in(file: Path) -> Positions:
    """Read the positions of a former report; raise `UsageError` when there are none."""
    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        former = msgspec.json.decode(text, type=_Former)
    except OSError as error:
        raise UsageError(f"--at {file}: it cannot be read ({error.strerror or error})") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--at {file}: this is no document with positions: {error}") from None
    return former.positions


def _text(document: Report) -> Iterator[str]:
    rows = [["", *(column.replace("_", " ") for column in COLUMNS)], _row("everything", document)]
    rows += [_row(f"org {name}", line) for name, line in document.orgs.items()]
    rows += [_row(f"destination {name}", line) for name, line in document.destinations.items()]
    yield columns(rows)
    yield ""
    yield from map(plain, document.problems)
    if document.deep:
        found = document.deep
        yield f"Read {found.records} records: {found.events} events, {found.repeated} of them emitted again."
    if document.balanced:
        yield "The books balance."
    else:
        yield f"The books do not balance: {document.lost} lost."


def _row(name: str, line: Line) -> list[str]:
    return [plain(name), *(str(getattr(line, column)) for column in COLUMNS)]
