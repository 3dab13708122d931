"""What a fault is: it is injected, it proves that it bit, and it heals."""

import asyncio
import os
import signal
from pathlib import Path
from typing import NamedTuple, Protocol

from chaos.schedule import Fault
from chaos.stage import Stage


class Proof(NamedTuple):
    """Whether a fault bit, and how that is known."""

    bit: bool
    evidence: str


class Wound(Protocol):
    """One fault under way."""

    @property
    def victim(self) -> str:
        """Whom it hit, once it is injected."""
        ...

    async def inject(self) -> None:
        """Begin."""
        ...

    async def prove(self) -> Proof:
        """Say, before it heals, whether it bit."""
        ...

    async def heal(self) -> None:
        """Undo it; what is healed works again when this returns, or by itself soon after."""
        ...


class Kind(Protocol):
    """Makes a wound of a fault."""

    def __call__(self, stage: Stage, fault: Fault) -> Wound: ...


def is_frozen(pid: int) -> bool:
    """Whether the process does not run because of SIGSTOP."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


async def freeze(pid: int) -> None:
    """Stop a process, and return when it stands still."""
    os.kill(pid, signal.SIGSTOP)
    for _ in range(100):
        if is_frozen(pid):
            return
        await asyncio.sleep(0.02)


def thaw(pid: int) -> None:
    """Let a process go on."""
    os.kill(pid, signal.SIGCONT)
