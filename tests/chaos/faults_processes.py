"""Workers and bots that are killed, frozen and stopped; others take their places."""

import asyncio
import signal
from collections.abc import Mapping, Sequence

from chaos.faults import Kind, Proof, freeze, is_frozen, thaw
from chaos.schedule import Fault
from chaos.stage import Stage


class _Workers:
    """Some of the workers that run when the fault begins."""

    def __init__(self, stage: Stage, fault: Fault) -> None:
        self._stage = stage
        self._fault = fault
        self._chosen: Sequence[str] = ()

    @property
    def victim(self) -> str:
        return "+".join(self._chosen)

    def _choose(self, count: int) -> None:
        running = sorted(name for name, process in self._stage.workers.items() if process.poll() is None)
        first = int(self._fault.choice * len(running))
        self._chosen = [running[(first + step) % len(running)] for step in range(min(count, len(running)))]


class KillWorkers(_Workers):
    """kill -9: what was under way is done again by others."""

    count = 1

    async def inject(self) -> None:
        self._choose(self.count)
        self._stage.ended.update(self._chosen)
        for name in self._chosen:
            self._stage.workers[name].kill()

    async def prove(self) -> Proof:
        codes = [await asyncio.to_thread(self._stage.workers[name].wait, 30) for name in self._chosen]
        return Proof(bool(codes) and set(codes) == {-signal.SIGKILL}, f"exit codes {codes}")

    async def heal(self) -> None:
        for _ in self._chosen:
            self._stage.start_worker()


class KillTwoWorkers(KillWorkers):
    count = 2


class StopWorker(_Workers):
    """SIGTERM, as a deployment does it."""

    async def inject(self) -> None:
        self._choose(1)
        self._code = await asyncio.to_thread(self._stage.stop_worker, self._chosen[0])

    async def prove(self) -> Proof:
        # That one does not end is written down elsewhere, and worse than a fault that did not bite.
        return Proof(bit=True, evidence=f"exit code {self._code}")

    async def heal(self) -> None:
        self._stage.start_worker()


class FreezeWorker(_Workers):
    """SIGSTOP for longer than the session time-out: others take over, and then it is back and knows nothing of it."""

    async def inject(self) -> None:
        self._choose(1)
        self._pid = self._stage.workers[self._chosen[0]].pid
        await freeze(self._pid)

    async def prove(self) -> Proof:
        return Proof(is_frozen(self._pid), f"process {self._pid} stands still")

    async def heal(self) -> None:
        thaw(self._pid)


class _Bot:
    def __init__(self, stage: Stage, fault: Fault) -> None:
        running = sorted(name for name, process in stage.bots.items() if process.poll() is None)
        self._stage = stage
        self.victim = running[int(fault.choice * len(running))]
        self._process = stage.bots[self.victim]


class KillBot(_Bot):
    """kill -9: the next bot on this host sends what this one had taken."""

    async def inject(self) -> None:
        self._stage.ended.add(self.victim)
        self._process.kill()

    async def prove(self) -> Proof:
        code = await asyncio.to_thread(self._process.wait, 30)
        return Proof(code == -signal.SIGKILL, f"exit code {code}")

    async def heal(self) -> None:
        self._stage.start_bot(self._stage.profile.rate / self._stage.profile.bots)


class FreezeBot(_Bot):
    async def inject(self) -> None:
        await freeze(self._process.pid)

    async def prove(self) -> Proof:
        return Proof(is_frozen(self._process.pid), f"process {self._process.pid} stands still")

    async def heal(self) -> None:
        thaw(self._process.pid)


KINDS: Mapping[str, Kind] = {
    "kill_worker": KillWorkers,
    "kill_two_workers": KillTwoWorkers,
    "stop_worker": StopWorker,
    "freeze_worker": FreezeWorker,
    "kill_bot": KillBot,
    "freeze_bot": FreezeBot,
}
