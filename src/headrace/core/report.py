"""The books as a document: one line of columns for the whole, one per org and one per destination."""

from typing import TypeVar

import msgspec

from headrace.core.columns import Account, Columns
from headrace.core.positions import Positions


class Line(msgspec.Struct, kw_only=True):
    """The columns, and whether they balance."""

    accepted: int = 0
    delivered: int = 0
    rejected: int = 0
    retrying: int = 0
    in_flight: int = 0
    retried: int = 0
    lost: int = 0
    duplicates: int = 0
    expired: int = 0
    balanced: bool = True


class Findings(msgspec.Struct):
    """What was read: *records* on the main topic, tiers and dead topic; on the main topic *events*, each once, and how
    many records *repeated* one that was there before.
    """

    records: int = 0
    events: int = 0
    repeated: int = 0


class Report(Line, kw_only=True):
    """The books of the river, or of one org; *deep* is there when every record was read.

    *positions* tell where they were closed: by topic and partition the committed offset (null where nobody commits),
    the end of the log, its start, and the tile that the commit named.
    """

    orgs: dict[str, Line] = {}
    destinations: dict[str, Line] = {}
    problems: list[str] = []
    positions: Positions = {}
    deep: Findings | msgspec.UnsetType = msgspec.UNSET


L = TypeVar("L", bound=Line)


def enter(line: L, columns: Columns) -> L:
    """Write *columns* into *line*, and whether they balance."""
    for column, records in msgspec.structs.asdict(columns).items():
        setattr(line, column, records)
    line.balanced = columns.is_balanced
    return line


def enter_account(report: Report, account: Account) -> None:
    """Write the books of *account* into *report*: the total, each org, each destination, and what is wrong."""
    report.orgs = {name: enter(Line(), columns) for name, columns in account.by_org().items()}
    report.destinations = {name: enter(Line(), columns) for name, columns in account.by_destination().items()}
    report.problems = [problem.text for problem in account.problems]
    enter(report, account.total())
