"""The faults of a run, made from a seed: a value that is written down before the first of them."""

from collections.abc import Iterator, Sequence
from itertools import chain
from random import Random

import msgspec

from chaos.profile import DOWN, Profile, destination_of, destinations, orgs

LASTS = {
    "kill_broker": (3, 8),
    "kill_leader": (3, 6),
    "freeze_broker": (6, 14),
    "move_leaders": (1, 2),
    "freeze_two_brokers": (6, 12),
    "kill_all_brokers": (4, 10),
    "kill_worker": (1, 3),
    "kill_two_workers": (1, 3),
    "stop_worker": (1, 3),
    "freeze_worker": (9, 14),
    "kill_bot": (0.5, 2),
    "freeze_bot": (3, 8),
    "drop_broker_link": (2, 4),
    "drop_org_link": (2, 4),
    "hang": (5, 9),
    "full_journal": (3, 5),
    "full_eventlog": (4, 8),
}
"""Between how many seconds a fault lasts."""

_OTHERS = (4, 8)
_SETTLING = 4.0
"""Seconds of a run before its first fault, and after its last one."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault: what, whom, when (seconds since the load began) and for how long.

    *choice* is a number from 0 up to 1 by which what is not known before the run is chosen, such as which worker.
    """

    number: int
    lane: str
    kind: str
    target: str
    at: float
    lasts: float
    choice: float


def build(profile: Profile, seed: int, *, has_disks: bool = True) -> tuple[Fault, ...]:
    """Return the schedule of *seed*, in the order of time. Faults of one lane never overlap, those of two may."""
    random = Random(f"{profile.name}/{seed}")
    lanes = [
        _lane(profile, lane, count, random) for lane, count in profile.faults.items() if has_disks or lane != "disks"
    ]
    ordered = sorted(chain.from_iterable(lanes), key=lambda fault: fault.at)
    return tuple(msgspec.structs.replace(fault, number=number) for number, fault in enumerate(ordered))


def _lane(profile: Profile, lane: str, count: int, random: Random) -> Iterator[Fault]:
    """Spread *count* faults of one lane over the load: one in each of so many equal slots."""
    slot = (profile.load - 2 * _SETTLING) / count
    for index, kind in enumerate(_deal(profile.lanes[lane], count, random)):
        lasts = min(random.uniform(*LASTS.get(kind, _OTHERS)), slot * 0.8)
        begins = _SETTLING + index * slot + random.uniform(0, slot - lasts) * 0.8
        yield Fault(
            number=0,
            lane=lane,
            kind=kind,
            target=_target(lane, kind, random),
            at=round(begins, 3),
            lasts=round(lasts, 3),
            choice=random.random(),
        )


def _deal(kinds: Sequence[str], count: int, random: Random) -> list[str]:
    """Return *count* kinds, each as often as any other, give or take one."""
    dealt: list[str] = []
    while len(dealt) < count:
        dealt += random.sample(kinds, len(kinds))
    return dealt[:count]


def _target(lane: str, kind: str, random: Random) -> str:
    if lane == "answers":
        return random.choice([org for org in orgs() if org != DOWN])
    if kind.endswith("broker_link"):
        return f"broker-{random.randrange(3)}"
    if lane == "links":
        return random.choice([name for name in destinations() if name != destination_of(DOWN)])
    return ""
