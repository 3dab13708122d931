"""Everything that was written down in a run, as the checker takes it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from chaos.records import (
    Answered,
    Applied,
    Crashed,
    Emitted,
    Emitting,
    Healed,
    Held,
    Injected,
    Overslept,
    Record,
    Refused,
    Requested,
    Stored,
    read,
)

LOG = "log"
"""The name of the destination that is the event log."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed before the run. *routes* name each org's destinations; *down* are orgs that never come back."""

    routes: Mapping[str, Sequence[str]]
    down: Sequence[str] = ()
    ordered: bool = True
    healed_at: float = 0.0
    quiet_at: float | None = None


class Ledger(msgspec.Struct, kw_only=True):
    """The records of a run, by kind, in the order in which each writer wrote them. *audit* is the tool's own answer."""

    setting: Setting
    audit: Mapping[str, Any] = {}
    emitting: list[Emitting] = []
    emitted: list[Emitted] = []
    requested: list[Requested] = []
    applied: list[Applied] = []
    refused: list[Refused] = []
    answered: list[Answered] = []
    held: list[Held] = []
    stored: list[Stored] = []
    injected: list[Injected] = []
    healed: list[Healed] = []
    crashed: list[Crashed] = []
    overslept: list[Overslept] = []

    def add(self, records: Iterable[Record]) -> Self:
        """Sort *records* in."""
        shelves: dict[type, list[Any]] = {
            Emitting: self.emitting,
            Emitted: self.emitted,
            Requested: self.requested,
            Applied: self.applied,
            Refused: self.refused,
            Answered: self.answered,
            Held: self.held,
            Stored: self.stored,
            Injected: self.injected,
            Healed: self.healed,
            Crashed: self.crashed,
            Overslept: self.overslept,
        }
        for record in records:
            shelves[type(record)].append(record)
        return self


def load(directory: Path, setting: Setting, audit: Mapping[str, Any]) -> Ledger:
    """Read every file of records in *directory*."""
    ledger = Ledger(setting=setting, audit=audit)
    for path in sorted(directory.glob("*.jsonl")):
        ledger.add(read(path))
    return ledger
