"""The audit as a document: one line of columns for the whole, one per org and one per destination."""

from typing import TypeVar

import msgspec

from headrace.core.columns import Columns
from headrace.ledger.audit import Audit
from headrace.ledger.deep import Findings


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


class Report(Line, kw_only=True):
    """The books of the river, or of one org; *deep* is there when every record was read."""

    orgs: dict[str, Line] = {}
    destinations: dict[str, Line] = {}
    problems: list[str] = []
    deep: Findings | msgspec.UnsetType = msgspec.UNSET


L = TypeVar("L", bound=Line)


def report(audit: Audit, org: str | None = None) -> Report:
    """Sum up *audit*, or the part of it that is *org*'s."""
    account = audit.account if org is None else audit.account.of(org)
    whole = Report(
        orgs={name: _enter(Line(), columns) for name, columns in account.by_org().items()},
        destinations={name: _enter(Line(), columns) for name, columns in account.by_destination().items()},
        problems=[problem.text for problem in account.problems],
        deep=audit.findings or msgspec.UNSET,
    )
    return _enter(whole, account.total())


def _enter(line: L, columns: Columns) -> L:
    for column, records in msgspec.structs.asdict(columns).items():
        setattr(line, column, records)
    line.balanced = columns.is_balanced
    return line
