"""Brokers that are killed, frozen, and relieved of their leaderships."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from chaos.configuration import PREFIX
from chaos.election import elect_preferred
from chaos.faults import Kind, Proof, freeze, is_frozen, thaw
from chaos.schedule import Fault
from chaos.stage import BROKERS, Stage
from headrace.localkafka import probe

_EVENTS = f"{PREFIX}headrace.events"
_ATTEMPTS = 4


class _Brokers:
    """Some brokers, chosen when the fault begins."""

    def __init__(self, stage: Stage, fault: Fault) -> None:
        self._stage = stage
        self._fault = fault
        self._chosen: Sequence[int] = ()
        self._pids: Sequence[int] = ()

    @property
    def victim(self) -> str:
        return "+".join(f"broker-{number}" for number in self._chosen)

    def _choose(self, count: int) -> None:
        first = int(self._fault.choice * BROKERS)
        self._chosen = [(first + step) % BROKERS for step in range(count)]
        self._pids = [self._stage.pid_of_broker(number) for number in self._chosen]


class KillBrokers(_Brokers):
    """kill -9, and a start on the same data."""

    count = 1

    async def inject(self) -> None:
        self._choose(self.count)
        await self._kill()

    async def _kill(self) -> None:
        for number in self._chosen:
            await asyncio.to_thread(self._stage.kafka.kill_broker, number)

    async def prove(self) -> Proof:
        gone = [number for number in self._chosen if not self._stage.pid_of_broker(number)]
        return Proof(len(gone) == len(self._chosen) and all(self._pids), f"processes {self._pids} are gone")

    async def heal(self) -> None:
        await asyncio.to_thread(self._stage.kafka.start)


class KillAllBrokers(KillBrokers):
    count = BROKERS


class KillLeader(KillBrokers):
    """Kills who leads some partition of the events topic; another one has to."""

    async def inject(self) -> None:
        self._leaders = await asyncio.to_thread(_leaders, self._stage)
        self._partition = sorted(self._leaders)[int(self._fault.choice * len(self._leaders))]
        self._chosen = [self._leaders[self._partition]]
        self._pids = [self._stage.pid_of_broker(number) for number in self._chosen]
        await self._kill()

    async def prove(self) -> Proof:
        killed = await super().prove()
        now = await asyncio.to_thread(_leaders, self._stage)
        leader = now.get(self._partition, -1)
        return Proof(
            killed.bit and leader not in self._chosen,
            f"{killed.evidence}, partition {self._partition} went from {self._chosen[0]} to {leader}",
        )


class MoveLeaders(_Brokers):
    """A broker gives its leaderships up in an orderly stop; when it is back it gets them again by an election."""

    async def inject(self) -> None:
        self._before = await asyncio.to_thread(_leaders, self._stage)
        leading = sorted(leader for leader in self._before.values() if leader >= 0)
        self._chosen = [leading[int(self._fault.choice * len(leading))]]
        self._pids = [self._stage.pid_of_broker(self._chosen[0])]
        os.kill(self._pids[0], signal.SIGTERM)
        for _ in range(300):
            if not self._stage.pid_of_broker(self._chosen[0]):
                break
            await asyncio.sleep(0.05)

    async def prove(self) -> Proof:
        now = await asyncio.to_thread(_leaders, self._stage)
        moved = [place for place, leader in now.items() if leader != self._before.get(place)]
        return Proof(bool(moved), f"{len(moved)} of {len(now)} partitions got another leader")

    async def heal(self) -> None:
        await asyncio.to_thread(self._stage.kafka.start)
        await asyncio.to_thread(elect_preferred, self._stage.port_of_broker(self._chosen[0]))


class FreezeBrokers(_Brokers):
    """SIGSTOP, and later SIGCONT: connections stay open, and nobody answers."""

    count = 1

    async def inject(self) -> None:
        self._choose(self.count)
        for pid in self._pids:
            await freeze(pid)

    async def prove(self) -> Proof:
        ports = [self._stage.kafka.behind_proxies[number] for number in self._chosen]
        answers = [await asyncio.to_thread(probe.ask, port) for port in ports]
        silent = not any(isinstance(answer, probe.Answer) for answer in answers)
        return Proof(silent and all(map(is_frozen, self._pids)), f"processes {self._pids} stand still and say nothing")

    async def heal(self) -> None:
        for pid in self._pids:
            thaw(pid)


class FreezeTwoBrokers(FreezeBrokers):
    """Two of three: nothing can be acknowledged."""

    count = 2


def _leaders(stage: Stage) -> Mapping[int, int]:
    """Return the leader of each partition of the events topic, as a broker that answers knows them.

    Not asked of the controller: a client takes the one for it that it was told of first, and that may be dead by now.
    """
    for left in reversed(range(_ATTEMPTS)):
        admin = AdminClient({"bootstrap.servers": stage.kafka.bootstrap_servers, "log_level": 2})
        try:
            found = admin.list_topics(_EVENTS, timeout=10).topics[_EVENTS]
            break
        except KafkaException:
            if not left:
                raise
    return {number: partition.leader for number, partition in found.partitions.items()}


KINDS: Mapping[str, Kind] = {
    "kill_broker": KillBrokers,
    "kill_leader": KillLeader,
    "kill_all_brokers": KillAllBrokers,
    "freeze_broker": FreezeBrokers,
    "freeze_two_brokers": FreezeTwoBrokers,
    "move_leaders": MoveLeaders,
}
