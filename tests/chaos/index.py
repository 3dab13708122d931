"""A ledger's records, found by event: what every part of the checker looks things up in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from chaos.ledger import LOG, Ledger
from chaos.records import Held, Requested, Sent

Place = tuple[str, int]
"""A destination, and an event's number."""


class Index:
    """Looks up what a ledger says of an event, and of an event at one destination."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.emitting = {each.n: each for each in ledger.emitting}
        self.taken = {each.n: each.taken for each in ledger.emitted}
        self.requests: Mapping[int, Requested] = {each.request: each for each in ledger.requested}
        self.main: dict[int, list[Held]] = defaultdict(list)
        self.tiers: dict[Place, list[Held]] = defaultdict(list)
        self.dead: dict[Place, list[Held]] = defaultdict(list)
        for held in ledger.held:
            if held.kind == "events":
                self.main[held.event.n].append(held)
            elif held.kind == "tier":
                self.tiers[held.destination, held.event.n].append(held)
            else:
                self.dead[held.destination, held.event.n].append(held)
        for tiers in self.tiers.values():
            tiers.sort(key=lambda held: held.at)
        self.posts: dict[Place, list[Requested]] = defaultdict(list)
        for request in sorted(ledger.requested, key=lambda each: each.at):
            for event in request.events:
                self.posts[request.destination, event.n].append(request)
        self.applied: dict[Place, float] = {}
        for applied in sorted(ledger.applied, key=lambda each: each.at):
            destination = self.requests[applied.request].destination
            for n in applied.numbers:
                self.applied.setdefault((destination, n), applied.at)
        self.refused = {
            (self.requests[refused.request].destination, n) for refused in ledger.refused for n in refused.numbers
        }
        self.stored: dict[int, list[Sent]] = defaultdict(list)
        for row in sorted(ledger.stored, key=lambda each: each.place):
            self.stored[row.event.n].append(row.event)
            self.applied.setdefault((LOG, row.event.n), 0.0)
        self.down = {
            destination
            for org in ledger.setting.down
            for destination in ledger.setting.routes[org]
            if destination != LOG
        }

    def routes_of(self, n: int) -> Sequence[str]:
        """Name the destinations of an event that is on the events topic."""
        return self.ledger.setting.routes.get(self.main[n][0].event.org, ())

    def name(self, n: int) -> str:
        """Name an event for a person."""
        said = self.emitting.get(n)
        return f"event {n} of {said.org}/{said.session} #{said.k}" if said else f"event {n}"
