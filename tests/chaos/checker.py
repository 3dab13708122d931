"""The checker: judges a run by its append-only records and nothing else. Pure.

`check` says everything that is wrong, and `judge` whether the run passed. A fault that did not bite, or a host that
was starved, makes it *unknown*: it has not shown what it was to show.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from chaos.books import check_books
from chaos.due import check_due
from chaos.fates import check_fates, check_requests
from chaos.findings import Findings
from chaos.index import Index
from chaos.ledger import LOG, Ledger
from chaos.order import check_order

Verdict = Literal["passed", "failed", "unknown"]

STARVED = 5.0
"""Seconds by which a sleeper may wake too late before the host counts as starved."""

_LATE = {"hang", "undrained"}
"""What may be wrong because the host was starved."""


def check(ledger: Ledger) -> Findings:
    """Say everything that is wrong with a run, and its figures."""
    findings = Findings()
    index = Index(ledger)
    check_fates(index, findings)
    check_requests(index, findings)
    if ledger.setting.ordered:
        check_order(index, findings)
    check_due(index, findings)
    check_books(index, findings)
    for crash in ledger.crashed:
        findings.wrong("crashed", f"{crash.name} {crash.how} at {crash.at:.3f}")
    quiet_at = ledger.setting.quiet_at
    if quiet_at is None:
        findings.wrong("hang", f"everything was healed at {ledger.setting.healed_at:.3f}")
    findings.figures = _figures(index) | findings.figures
    return findings


def judge(findings: Findings, ledger: Ledger, faults: int) -> Verdict:
    """Return the verdict of a run of which *faults* were scheduled."""
    starved = any(each.late > STARVED for each in ledger.overslept)
    if findings.wrongs.keys() - (_LATE if starved else set()):
        return "failed"
    bit = sum(healed.bit for healed in ledger.healed)
    return "unknown" if bit < faults or starved or not ledger.emitted else "passed"


def _figures(index: Index) -> dict[str, float]:
    ledger = index.ledger
    setting = ledger.setting
    kinds = Counter(held.kind for held in ledger.held)
    sent = sum(len(request.events) for request in ledger.requested)
    answered = Counter(taken for taken in index.taken.values())
    waits = sorted(
        at - index.emitting[n].at for (name, n), at in index.applied.items() if name != LOG and n in index.emitting
    )
    emits = sorted(each.at - index.emitting[each.n].at for each in ledger.emitted)
    healed_in = -1.0 if setting.quiet_at is None else max(0.0, setting.quiet_at - setting.healed_at)
    return {
        "emitted": len(index.emitting),
        "taken": answered[True],
        "not_taken": answered[False],
        "unknown": len(index.emitting) - len(index.taken),
        "records": kinds["events"],
        "repeated_records": kinds["events"] - len(index.main),
        "tier_records": kinds["tier"],
        "dead_letters": kinds["dead"],
        "requests": len(ledger.requested),
        "sent": sent,
        "repeated_sends": sent - len(index.posts),
        "applied": sum(destination != LOG for destination, _ in index.applied),
        "stored": len(index.stored),
        "standing": sum(held.kind == "tier" and not held.is_settled for held in ledger.held),
        "delivered_p50": round(_share(waits, 50), 3),
        "delivered_p99": round(_share(waits, 99), 3),
        "emit_p99_ms": round(_share(emits, 99) * 1000, 2),
        "faults_bit": sum(healed.bit for healed in ledger.healed),
        "healed_in": round(healed_in, 1),
        "overslept_most": round(max((each.late for each in ledger.overslept), default=0.0), 2),
    }


def _share(ordered: Sequence[float], share: int) -> float:
    return ordered[len(ordered) * share // 100] if ordered else 0.0
