"""Connections that are cut, refused, slowed and swallowed, by the proxies."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial

from chaos.faults import Kind, Proof
from chaos.proxy import Change, Counts, Mode
from chaos.schedule import Fault
from chaos.stage import Stage

_DELAY = 0.3
_CUT_AFTER = 6_000
_PATIENCE = 20.0


class HurtLink:
    """One link that behaves badly; its own counters prove it. *again* changes it once more at so many seconds."""

    def __init__(self, stage: Stage, fault: Fault, mode: Mode, again: float = 0.0) -> None:
        self.victim = fault.target
        self._stage = stage
        self._mode: Mode = mode
        self._again = again
        self._before = Counts()
        self._repeating: asyncio.Task[None] | None = None

    async def inject(self) -> None:
        self._before = self._change("open")
        # What nobody uses now cannot be hurt. One broker is as good as another; an org is waited for.
        brokers = [name for name in self._stage.links if name.startswith("broker")]
        deadline = time.monotonic() + _PATIENCE
        while not self._before.connections and time.monotonic() < deadline:
            if self.victim in brokers:
                self.victim = brokers[(brokers.index(self.victim) + 1) % len(brokers)]
            await asyncio.sleep(0.1)
            self._before = self._change("open")
        self._change(self._mode)
        if self._again:
            self._repeating = asyncio.create_task(self._repeat())

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(self._again)
            self._change(self._mode)

    async def prove(self) -> Proof:
        now, before = self._change(self._mode), self._before
        broken, kept, delayed = now.broken - before.broken, now.kept - before.kept, now.delayed - before.delayed
        bit = {"blackhole": kept, "slow": delayed}.get(self._mode, broken)
        return Proof(bit > 0, f"{broken} connections broken, {kept} pieces kept back, {delayed} delayed")

    async def heal(self) -> None:
        if self._repeating is not None:
            self._repeating.cancel()
        self._change("open")

    def _change(self, mode: Mode) -> Counts:
        return self._stage.change_link(Change(link=self.victim, mode=mode, delay=_DELAY, bytes=_CUT_AFTER))


KINDS: Mapping[str, Kind] = {
    "drop_broker_link": partial(HurtLink, mode="drop", again=0.7),
    "refuse_broker_link": partial(HurtLink, mode="refuse"),
    "blackhole_broker_link": partial(HurtLink, mode="blackhole"),
    "slow_broker_link": partial(HurtLink, mode="slow"),
    "drop_org_link": partial(HurtLink, mode="drop", again=0.2),
    "refuse_org_link": partial(HurtLink, mode="refuse"),
    "blackhole_org_link": partial(HurtLink, mode="blackhole"),
    "slow_org_link": partial(HurtLink, mode="slow"),
    "cut_org_link_after": partial(HurtLink, mode="cut_after"),
}
