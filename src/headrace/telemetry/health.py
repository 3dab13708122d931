"""Health: whether a process lives, and whether it can do its work, each as a few checks with a sentence."""

from collections.abc import Mapping

import msgspec


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    ok: bool
    says: str


class Health(msgspec.Struct, frozen=True):
    """What all checks come to. A program reads the status, 200 or 503, and a person the checks."""

    ok: bool
    checks: Mapping[str, Check]

    @classmethod
    def of(cls, **checks: Check) -> "Health":
        """Sum *checks* up."""
        return cls(all(each.ok for each in checks.values()), checks)

    @property
    def status(self) -> int:
        """As HTTP says it."""
        return 200 if self.ok else 503
