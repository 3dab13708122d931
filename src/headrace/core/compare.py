"""What was put in a place against what is held there, org by org and destination by destination."""

from collections.abc import Mapping
from math import inf

import msgspec

from headrace.core.columns import Cell, Tally


class Slack(msgspec.Struct):
    """What a comparison lets off: records that may have been put there *before* the books begin, records that may
    have *expired* from there since, and how many of those there are *at_most*.
    """

    before: Tally = msgspec.field(default_factory=Tally)
    expired: Tally = msgspec.field(default_factory=Tally)
    at_most: float = inf


class Difference(msgspec.Struct, frozen=True):
    """How many more or fewer records are held than were put, and how many of either the slack let off."""

    more: int = 0
    less: int = 0
    before: int = 0
    expired: int = 0


def compare(put: Tally, held: Tally, slack: Slack) -> Mapping[Cell, Difference]:
    """Return the differences; cells without one are left out."""
    differences: dict[Cell, Difference] = {}
    budget = slack.at_most
    for cell in sorted({*put, *held}):
        surplus = held[cell] - put[cell]
        if surplus > 0:
            before = min(surplus, slack.before[cell])
            differences[cell] = Difference(more=surplus - before, before=before)
        elif surplus < 0:
            expired = int(min(-surplus, slack.expired[cell], budget))
            budget -= expired
            differences[cell] = Difference(less=-surplus - expired, expired=expired)
    return differences
