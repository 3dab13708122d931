"""Where a dead letter goes when it is redriven. Pure: what is configured is an argument."""

from collections.abc import Callable, Collection, Sequence

import msgspec

from headrace.model.mark import NOBODY
from headrace.model.units import Duration
from headrace.wire.envelope import Bad, org_of, read
from headrace.wire.letters import DeadLetter

Aims = Sequence[tuple[str, str]]
"""The org and the destination of every record to make of a letter."""


class Ways(msgspec.Struct, frozen=True):
    """What there is to go to: the destinations of an org, all destinations, and the first tier."""

    routes: Callable[[str], Sequence[str]]
    destinations: Collection[str]
    tier: Duration


def aims(letter: DeadLetter, value: bytes | None, ways: Ways) -> Aims | str:
    """Return where *letter* goes, or the sentence why it goes nowhere.

    *value* is the letter's own, or what was found at its origin. What never had a destination is checked and routed
    anew; what had one goes there again.
    """
    if letter.mark is None:
        return f"{letter.error}, so it is no dead letter of Headrace"
    if letter.destination == NOBODY:
        return _routed(letter.key, value, ways)
    if letter.destination not in ways.destinations:
        return f"the destination {letter.destination} is not configured; add it, or leave the letter"
    if value is None:
        return "its value was too large for the dead topic, and is not kept at its origin any more"
    return [(letter.org, letter.destination)]


def _routed(key: bytes | None, value: bytes | None, ways: Ways) -> Aims | str:
    envelope = read(value)
    if isinstance(envelope, Bad):
        return f"it is still no CloudEvent: {envelope.error}"
    org = org_of(key, envelope.source)
    if isinstance(org, Bad):
        return f"it still belongs to nobody: {org.error}"
    destinations = ways.routes(org)
    if not destinations:
        return f"still no route leads anywhere for the org {org}; add one under [routes]"
    return [(org, destination) for destination in destinations]
