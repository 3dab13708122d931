"""A script: all that is to happen in one run, as a plain value made from a seed, of which parts can be left out."""

from random import Random
from typing import Literal

import msgspec

from headrace.delivery.settings import DeliverySettings, Ordering
from headrace.model.units import Duration, Size

DESTINATIONS = ("crm", "log")

Kind = Literal["good", "poison", "broken"]
KINDS: tuple[Kind, ...] = ("good", "poison", "broken")

ORDERINGS: tuple[Ordering, ...] = ("any", "session", "org")

Mood = Literal["well", "slow", "mixed", "busy", "hang", "mute", "late", "wrong", "throttle", "down"]
"""How a destination answers for a while. `mute` takes the post and gives no answer; `late` takes it after that."""

MOODS: tuple[Mood, ...] = ("slow", "mixed", "busy", "hang", "mute", "late", "wrong", "throttle", "down")

Weather = Literal["refuses", "forgets", "lags", "full", "commits fail", "repeats", "skips"]
"""What Kafka does for a while: refuses writes, loses acknowledgements after the write, and so on."""

WEATHERS: tuple[Weather, ...] = ("refuses", "forgets", "lags", "full", "commits fail", "repeats", "skips")

Blow = Literal["crash", "freeze", "stall", "stop", "evict"]
BLOWS: tuple[Blow, ...] = ("crash", "freeze", "stall", "stop", "evict")
"""What happens to a worker. A *stall* holds its owner thread only; *evict* makes the group forget it."""


class Org(msgspec.Struct, frozen=True):
    """One org, how many sessions it has, and where its events go."""

    name: str
    sessions: int
    routes: tuple[str, ...]


class Emission(msgspec.Struct, frozen=True):
    """One event. A *poison* one no destination will ever take; a *broken* one is no event at all."""

    at: float
    org: int
    session: int
    partition: int
    kind: Kind


class Spell(msgspec.Struct, frozen=True):
    """For a while, one org's destination is in a mood."""

    org: int
    destination: str
    start: float
    stop: float
    mood: Mood


class Front(msgspec.Struct, frozen=True):
    """For a while, Kafka has its weather."""

    start: float
    stop: float
    weather: Weather


class Fault(msgspec.Struct, frozen=True):
    """A blow. *effect* > 0: right before or after that effect, to the worker that caused it; else at a time."""

    blow: Blow
    span: float
    effect: int = 0
    is_before: bool = False
    at: float = 0.0
    worker: int = 0


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is decided before a run; `seed` decides the rest as it comes."""

    seed: int
    settings: DeliverySettings
    tiers: tuple[Duration, ...]
    give_up_after: Duration
    partitions: int
    is_shared: bool
    """Whether the destination `log` is one lane for all orgs."""
    workers: tuple[float, ...]
    """When each worker starts."""
    orgs: tuple[Org, ...]
    emissions: tuple[Emission, ...]
    spells: tuple[Spell, ...]
    fronts: tuple[Front, ...]
    faults: tuple[Fault, ...]

    @property
    def heals_at(self) -> float:
        """When the last fault is over."""
        ends = [spell.stop for spell in self.spells] + [front.stop for front in self.fronts]
        ends += [fault.at + fault.span for fault in self.faults] + [each.at for each in self.emissions]
        return max(ends, default=0.0)


def draw(seed: int, ordering: Ordering | None = None) -> Script:
    """Make the script of *seed*; *ordering* overrules what the seed says."""
    random = Random(seed)
    drawn = random.choice(ORDERINGS)
    settings = _settings(random, ordering or drawn)
    partitions = random.randint(1, 3)
    orgs = tuple(
        Org(f"org{number}", random.randint(1, 3), random.choice((("crm",), ("log",), DESTINATIONS)))
        for number in range(random.randint(2, 4))
    )
    ends = random.uniform(3.0, 15.0)
    return Script(
        seed=seed,
        settings=settings,
        tiers=random.choice(((Duration(1), Duration(4), Duration(12)), (Duration(1), Duration(6)), (Duration(2),))),
        give_up_after=Duration(random.choice((6, 600, 600, 600))),
        partitions=partitions,
        is_shared=random.random() < 0.4,
        workers=tuple(random.uniform(0.0, ends) if number else 0.0 for number in range(random.choice((1, 2, 2, 3)))),
        orgs=orgs,
        emissions=_emissions(random, orgs, partitions, settings.ordering, ends * 0.7),
        spells=tuple(_spell(random, orgs, ends) for _ in range(random.randint(0, 5))),
        fronts=tuple(_front(random, ends) for _ in range(random.randint(0, 3))),
        faults=tuple(_fault(random, ends) for _ in range(random.choice((0, 1, 1, 2, 2, 3)))),
    )


def _settings(random: Random, ordering: Ordering) -> DeliverySettings:
    return DeliverySettings(
        ordering=ordering,
        batch_events=random.choice((1, 2, 4, 8)),
        batch_linger=Duration(0.02),
        posts_in_flight=random.choice((1, 2, 4, 8)),
        posts_in_flight_per_destination=random.randint(1, 3),
        timeout=Duration(2),
        lane_events=random.choice((3, 10, 100)),
        overflow_after=Duration(random.choice((0.3, 1.0))),
        memory=Size(random.choice((12 << 10, 1 << 20, 1 << 20))),
        drain=Duration(3),
    )


def _emissions(
    random: Random, orgs: tuple[Org, ...], partitions: int, ordering: Ordering, ends: float
) -> tuple[Emission, ...]:
    """Let sessions speak in bursts, so that a poll brings several events of one."""
    emissions: list[Emission] = []
    for start in (random.uniform(0.0, ends) for _ in range(random.randint(2, 14))):
        org = random.randrange(len(orgs))
        session = random.randrange(orgs[org].sessions)
        for _ in range(random.choice((1, 1, 3, 6))):
            place = {"any": random.randrange(9), "session": org + session, "org": org}[ordering] % partitions
            kind = random.choices(KINDS, (90, 6, 4))[0]
            emissions.append(Emission(start + random.choice((0.0, 0.5)), org, session, place, kind))
    return tuple(sorted(emissions, key=lambda emission: emission.at))


def _spell(random: Random, orgs: tuple[Org, ...], ends: float) -> Spell:
    start = random.uniform(0.0, ends)
    org = random.randrange(len(orgs))
    span = random.choice((1.0, ends, ends, 40.0)) * random.uniform(0.2, 1.0)
    return Spell(org, random.choice(DESTINATIONS), start, start + span, random.choice(MOODS))


def _front(random: Random, ends: float) -> Front:
    start = random.uniform(0.0, ends)
    return Front(start, start + random.uniform(0.5, 4.0), random.choice(WEATHERS))


def _fault(random: Random, ends: float) -> Fault:
    blow = random.choices(BLOWS, (6, 4, 2, 2, 1))[0]
    span = random.uniform(0.1, 12.0)
    if random.random() < 0.7:
        effect = random.randint(1, random.choice((20, 60, 200)))
        return Fault(blow, span, effect=effect, is_before=random.random() < 0.5)
    return Fault(blow, span, at=random.uniform(0.0, ends), worker=random.randrange(3))
