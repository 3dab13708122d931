"""Disks that are full: the journal's, and the event log's."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from chaos.faults import Kind, Proof
from chaos.schedule import Fault
from chaos.stage import Stage

_EVERY = 0.1


class FillDisk:
    """Takes all the room there is, and what others give back, until it heals."""

    def __init__(self, stage: Stage, fault: Fault) -> None:
        self.victim = fault.kind.removeprefix("full_")
        self._disk = stage.disks[self.victim]
        self._filling: asyncio.Task[None] | None = None
        self._was_full = 0
        self._is_healing = False

    async def inject(self) -> None:
        self._filling = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        while not self._is_healing:
            with suppress(OSError):
                await asyncio.to_thread(self._disk.fill)
                self._was_full += self._disk.is_full()
            await asyncio.sleep(_EVERY)

    async def prove(self) -> Proof:
        return Proof(self._was_full > 0, f"it was full at {self._was_full} looks")

    async def heal(self) -> None:
        self._is_healing = True
        if self._filling is not None:
            await self._filling
        self._disk.empty()


KINDS: Mapping[str, Kind] = {"full_journal": FillDisk, "full_eventlog": FillDisk}
