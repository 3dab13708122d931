"""The audit as a document."""

import msgspec

from headrace.core.report import Line, Report, enter_account
from headrace.ledger.audit import Audit

__all__ = ["Line", "Report", "report"]


def report(audit: Audit, org: str | None = None) -> Report:
    """Sum up *audit*, or the part of it that is *org*'s."""
    document = Report(positions=audit.positions, deep=audit.findings or msgspec.UNSET)
    enter_account(document, audit.account if org is None else audit.account.of(org))
    return document
