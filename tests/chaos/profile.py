"""How long a run is, how much is said in it, and how many faults of each lane it has."""

from collections.abc import Mapping, Sequence

import msgspec

ORGS = 8
OWN = 4
"""The first so many orgs have a destination, a secret and a link of their own; the others share one destination."""

DOWN = "org-3"
"""The org whose destination never answers; it does come back in no run, and its events stand on tiers in the end."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One size of run. Times are seconds; *rate* is events a second, of all bots."""

    name: str
    load: float
    rate: int
    bots: int
    workers: int
    sessions: int
    lanes: Mapping[str, Sequence[str]]
    faults: Mapping[str, int]
    disk: int
    """Bytes of the disk of the event log, where there may be one; it is filled by faults, never by events."""
    quiet_within: float = 120.0


BROKERS = (
    "kill_broker",
    "kill_leader",
    "freeze_broker",
    "move_leaders",
    "freeze_two_brokers",
    "kill_all_brokers",
)
WORKERS = ("kill_worker", "freeze_worker", "stop_worker", "kill_two_workers")
BOTS = ("kill_bot", "freeze_bot")
LINKS = (
    "drop_broker_link",
    "refuse_broker_link",
    "blackhole_broker_link",
    "slow_broker_link",
    "drop_org_link",
    "refuse_org_link",
    "blackhole_org_link",
    "slow_org_link",
    "cut_org_link_after",
)
ANSWERS = (
    "hang",
    "cut_applied",
    "cut_request",
    "half_answer",
    "half_json",
    "results",
    "throttle",
    "redirect",
    "unauthorized",
    "refuse_some",
    "too_large",
    "unavailable",
    "slow",
)
DISKS = ("full_journal", "full_eventlog")

SMOKE = Profile(
    name="smoke",
    load=36.0,
    rate=240,
    bots=2,
    workers=2,
    sessions=6,
    lanes={
        "brokers": ("kill_leader",),
        "workers": ("kill_worker", "freeze_worker"),
        "bots": ("kill_bot",),
        "links": ("drop_broker_link", "refuse_org_link"),
        "answers": ("cut_applied", "results", "throttle", "hang"),
        "disks": ("full_journal", "full_eventlog"),
    },
    faults={"brokers": 1, "workers": 2, "bots": 1, "links": 2, "answers": 4, "disks": 2},
    disk=64 << 20,
)
FULL = Profile(
    name="full",
    load=400.0,
    rate=240,
    bots=2,
    workers=3,
    sessions=12,
    lanes={
        "brokers": BROKERS,
        "workers": WORKERS,
        "bots": BOTS,
        "links": LINKS,
        "answers": ANSWERS,
        "disks": DISKS,
    },
    faults={"brokers": 9, "workers": 11, "bots": 6, "links": 12, "answers": 18, "disks": 4},
    disk=384 << 20,
)
SOAK = msgspec.structs.replace(
    FULL,
    name="soak",
    load=1800.0,
    faults={name: count * 4 for name, count in FULL.faults.items()},
    disk=2 << 30,
)
PROFILES = {profile.name: profile for profile in (SMOKE, FULL, SOAK)}


def orgs() -> list[str]:
    """Name the orgs of a run."""
    return [f"org-{number}" for number in range(ORGS)]


def destination_of(org: str) -> str:
    """Name the HTTP destination of an org."""
    number = int(org.removeprefix("org-"))
    return f"crm-{number}" if number < OWN else "hub"


def destinations() -> list[str]:
    """Name the HTTP destinations of a run."""
    return sorted({destination_of(org) for org in orgs()})


def routes() -> dict[str, list[str]]:
    """Name each org's destinations: the event log and its own."""
    return {org: ["log", destination_of(org)] for org in orgs()}
