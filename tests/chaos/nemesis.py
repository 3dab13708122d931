"""Runs a schedule: one task a lane, fault after fault, each written down when it begins and when it healed."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from chaos import faults_brokers, faults_disk, faults_links, faults_orgs, faults_processes
from chaos.faults import Kind, Proof, Wound
from chaos.records import Healed, Injected, Writer
from chaos.schedule import Fault
from chaos.stage import Stage

KINDS: Mapping[str, Kind] = {
    **faults_brokers.KINDS,
    **faults_processes.KINDS,
    **faults_links.KINDS,
    **faults_orgs.KINDS,
    **faults_disk.KINDS,
}

_PATIENCE = 45.0
"""Seconds by which a fault may last longer than it was to, because it did not bite yet."""


async def torment(stage: Stage, schedule: Sequence[Fault], writer: Writer, say: Callable[[str], None]) -> None:
    """Inject and heal every fault of *schedule*; return when the last one is healed."""
    began = time.monotonic()
    lanes: dict[str, list[Fault]] = defaultdict(list)
    for fault in schedule:
        lanes[fault.lane].append(fault)

    async def run(lane: Sequence[Fault]) -> None:
        for fault in lane:
            await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
            await _play(stage, fault, writer, say)

    async with asyncio.TaskGroup() as group:
        for lane in lanes.values():
            group.create_task(run(lane))


async def _proof(wound: Wound) -> Proof:
    """Let the fault last until it bit, for a while: whoever it is meant for may be busy with another one."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        proof = await wound.prove()
        if proof.bit or time.monotonic() > deadline:
            return proof
        await asyncio.sleep(0.5)


async def _play(stage: Stage, fault: Fault, writer: Writer, say: Callable[[str], None]) -> None:
    wound = KINDS[fault.kind](stage, fault)
    began = time.time()
    # A fault that could not even begin or end did not bite, whatever the reason, and the run is worth nothing.
    try:
        await wound.inject()
        writer.write(Injected(fault.number, fault.kind, wound.victim, began))
        await asyncio.sleep(fault.lasts)
        proof = await _proof(wound)
    except Exception as error:  # noqa: BLE001
        proof = Proof(bit=False, evidence=f"{type(error).__name__}: {error}")
    try:
        await wound.heal()
    except Exception as error:  # noqa: BLE001
        proof = Proof(bit=False, evidence=f"{proof.evidence}; it did not heal: {type(error).__name__}: {error}")
    writer.write(Healed(fault.number, time.time(), proof.bit, proof.evidence))
    say(f"{fault.kind} {wound.victim}: {'bit' if proof.bit else 'DID NOT BITE'}, {proof.evidence}")
