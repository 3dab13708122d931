"""Histories made by hand, for the tests of the checker: every record that a run would have left, and their audit."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from chaos.ledger import LOG, Ledger, Setting
from chaos.records import (
    Answered,
    Applied,
    Emitted,
    Emitting,
    Healed,
    Held,
    Injected,
    Record,
    Refused,
    Requested,
    Sent,
    Stored,
)

ROUTES = {"org-0": [LOG, "crm-0"], "org-1": [LOG, "hub"], "org-2": [LOG, "hub"], "org-9": [LOG, "crm-9"]}
DOWN = "org-9"

_STEP = 0.01
_TIERS = {1.0: "1s", 3.0: "3s", 10.0: "10s"}


class History:
    """Writes records down as time goes on; `ledger` closes the books over them."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.records: list[Record] = []
        self.events: dict[int, Sent] = {}
        self._said: dict[tuple[str, str], int] = defaultdict(int)
        self._offsets: dict[tuple[str, int], int] = defaultdict(int)
        self._requests = 0
        self._rows = 0

    def wait(self, seconds: float = _STEP) -> float:
        """Let time pass, and return the time then."""
        self.now += seconds
        return self.now

    def emit(self, org: str, session: str, *, taken: bool | None = True, kept: bool = True) -> int:
        """Emit one event, and let Kafka hold it; *taken* None leaves it unknown."""
        n = len(self.events)
        k = self._said[org, session]
        self._said[org, session] += 1
        self.events[n] = Sent(n, org, session, k, f"id-{n}", f"digest-{n}")
        self.records.append(Emitting(n, org, session, k, self.wait()))
        if taken is not None:
            self.records.append(Emitted(n, taken, self.wait()))
        if kept:
            self.hold(n)
        return n

    def hold(self, n: int, *, settled: bool = True) -> None:
        """Let the events topic hold *n* once more."""
        self.records.append(self._held("events", "events", n, settled=settled))

    def post(
        self,
        destination: str,
        numbers: Sequence[int],
        *,
        applied: Sequence[int] | None = None,
        refused: Sequence[int] = (),
        worker: str = "worker-1",
        org: str = "",
        signed: bool = True,
    ) -> None:
        """Post events, of which some are *applied* (by default those that are not refused) and some *refused*."""
        request, at = self._requests, self.wait()
        self._requests += 1
        events = [self.events[n] for n in numbers]
        self.records.append(
            Requested(request, at, int(at), destination, org or events[0].org, worker, "", signed, events)
        )
        stored = [n for n in numbers if n not in refused] if applied is None else list(applied)
        if stored:
            self.records.append(Applied(request, self.wait(), stored))
        if refused:
            self.records.append(Refused(request, list(refused)))
        self.records.append(Answered(request, self.wait(), "200"))

    def retry(self, destination: str, n: int, delay: float, attempts: int, *, settled: bool = True) -> float:
        """Let a tier hold *n*; return when it is due."""
        due = self.now + _STEP + delay
        held = self._held("tier", f"retry.{_TIERS[delay]}", n, settled=settled)
        self.records.append(_marked(held, destination, attempts, due, "failed"))
        return due

    def bury(self, destination: str, n: int, reason: str = "rejected") -> None:
        """Let the dead topic hold *n*."""
        held = self._held("dead", "dead", n, settled=False)
        self.records.append(_marked(held, destination, 1, self.now, reason))

    def store(self, numbers: Sequence[int]) -> None:
        """Let the event log hold these events."""
        for n in numbers:
            self._rows += 1
            self.records.append(Stored(self._rows, self.events[n].org, self.events[n]))

    def fault(self, kind: str, victim: str, lasts: float, *, bit: bool = True) -> None:
        """Let a fault begin now and end then, without any time passing."""
        number = sum(isinstance(record, Injected) for record in self.records)
        self.records.append(Injected(number, kind, victim, self.now))
        self.records.append(Healed(number, self.now + lasts, bit, "seen"))

    def ledger(self, audit: Mapping[str, Any] | None = None) -> Ledger:
        """Return what the checker takes, with an audit that agrees unless another one is given."""
        setting = Setting(routes=ROUTES, down=[DOWN], healed_at=self.now, quiet_at=self.now + 1)
        ledger = Ledger(setting=setting).add(self.records)
        ledger.audit = audit if audit is not None else agreeing(ledger)
        return ledger

    def _held(self, kind: Any, topic: str, n: int, *, settled: bool) -> Held:
        event = self.events[n]
        partition = int(event.org[-1])
        offset = self._offsets[topic, partition]
        self._offsets[topic, partition] += 1
        return Held(kind, topic, partition, offset, self.wait(), f"{event.org}/{event.session}", event, settled)


def agreeing(ledger: Ledger) -> Mapping[str, Any]:
    """Return the audit of a tool whose books agree with what Kafka holds."""
    cells: dict[tuple[str, str], dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(("accepted", "delivered", "rejected", "retrying", "in_flight", "duplicates", "lost"), 0)
    )
    for held in ledger.held:
        org = held.event.org
        if held.kind == "events":
            for destination in ledger.setting.routes[org]:
                cells[org, destination]["accepted"] += 1
                cells[org, destination]["delivered" if held.is_settled else "in_flight"] += 1
        elif held.kind == "dead" or not held.is_settled:
            column = "rejected" if held.kind == "dead" else "retrying"
            cells[org, held.destination][column] += 1
            cells[org, held.destination]["delivered"] -= 1
    return {
        "balanced": True,
        "lost": 0,
        "orgs": _sums(cells, 0),
        "destinations": _sums(cells, 1),
    }


def _sums(cells: Mapping[tuple[str, str], Mapping[str, int]], part: int) -> dict[str, dict[str, int]]:
    lines: dict[str, dict[str, int]] = {}
    for cell, columns in cells.items():
        line = lines.setdefault(cell[part], dict.fromkeys(columns, 0))
        for column, count in columns.items():
            line[column] += count
    return lines


def _marked(held: Held, destination: str, attempts: int, due: float, reason: str) -> Held:
    return Held(
        held.kind, held.topic, held.partition, held.offset, held.at, held.key, held.event, held.is_settled,
        destination, attempts, due, reason,
    )  # fmt: skip
