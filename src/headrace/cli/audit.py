"""`headrace audit`: the ledger."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from headrace import app
from headrace import config as configuration
from headrace.cli.output import emit_document, progress
from headrace.cli.plain import columns, plain
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


def audit(
    *,
    org: str | None = None,
    deep: Annotated[bool, Parameter(negative=())] = False,
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
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    loaded = configuration.load(config)
    reader = app.broker(loaded).reader()
    try:
        with progress("reading records") as bar:
            closed = close_books(reader, loaded.names, app.destinations_of(loaded), deep=deep, seen=bar.update)
    finally:
        reader.close()
    document = report(closed, org)
    emit_document(document, "\n".join(_text(document)), json=json)
    return 0 if document.balanced else 1


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
