"""Judges a run from outside: by what was emitted, what logs hold, what orgs received and answered, and nothing else."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from headrace.broker.memory_cluster import Cluster, MemoryRecord
from headrace.broker.port import Committed
from headrace.clock import Clock
from headrace.model.mark import NOBODY, Mark
from headrace.model.outcome import Outcome, Rejected, Retryable
from headrace.model.record import Record, TopicPartition
from headrace.model.tile import Tile
from headrace.wire import attempts
from headrace.wire.headers import decode
from headrace.wire.topics import TopicNames
from simulation.script import Emission, Script

Flaw = Literal[
    "lost",
    "invented",
    "order",
    "early",
    "foreign",
    "dead",
    "ahead",
    "backwards",
    "untiled",
    "hang",
    "books",
    "broke",
]
"""What can be wrong. *ahead*: a commit past what is not settled; *untiled*: a commit whose chain of tiles is not
written; *dead*: a dead letter without a cause; *broke*: a worker raised."""

GRACE = 0.002
"""Seconds that a due time may be off: headers carry milliseconds."""


class Verdict(msgspec.Struct, frozen=True):
    """One thing that is wrong, and when it showed."""

    flaw: Flaw
    at: float
    told: str


class Debt:
    """One event that is owed to one destination, and all that happened to it."""

    def __init__(self, event: "Event", destination: str) -> None:
        self.event = event
        self.destination = destination
        self.line: list[Debt] = []
        """All debts that this one is ordered among, itself included."""
        self.is_taken = False
        self.overtaken = ""
        """What was posted, and when, while this one still had to be."""
        self.is_delivered = False
        self.is_rejected = False
        """What the destination said in answers that reached a worker."""
        self.copies: list[tuple[int, TopicPartition]] = []
        self.is_dead = False
        self.has_time_until = float("inf")
        self.tickets: dict[str, dict[tuple[str, int, int], float]] = {}
        """Per life, the records that allow it one round of posts, and from when on."""
        self.rounds: set[tuple[str, object]] = set()
        """The flights that have posted it, each of them once or halved."""

    @property
    def is_over(self) -> bool:
        return self.is_dead or self.is_delivered or self.is_rejected

    def __str__(self) -> str:
        return f"{self.event.id} to {self.destination}"


class Event(msgspec.Struct, kw_only=True):
    """One emitted record, and where it stands on the main topic."""

    id: str
    org: str
    session: int
    emission: Emission
    partition: int
    offset: int
    debts: dict[str, Debt] = {}


class Judge:
    """Hears of everything as it happens. `verdicts` is empty as long as nothing is wrong."""

    def __init__(self, clock: Clock, script: Script, names: TopicNames) -> None:
        self.verdicts: list[Verdict] = []
        self.events: dict[str, Event] = {}
        self._clock = clock
        self._script = script
        self._names = names
        self._by_place: dict[tuple[int, int], Event] = {}
        self._lines: dict[tuple[str, str, int], list[Debt]] = {}
        self._appended = 0
        self._sequence: dict[tuple[str, int, int], int] = {}
        self._tiles: dict[str, str | None] = {}

    def blame(self, flaw: Flaw, told: str) -> None:
        self.verdicts.append(Verdict(flaw, round(self._clock.monotonic(), 4), told))

    def emitted(self, event: Event, destinations: Sequence[str]) -> None:
        """Take note of an event that the main topic holds now."""
        self.events[event.id] = self._by_place[event.partition, event.offset] = event
        for destination in destinations:
            debt = event.debts[destination] = Debt(event, destination)
            group = event.session if self._script.settings.ordering == "session" else event.partition
            debt.line = self._lines.setdefault((destination, event.org, group), [])
            if destination != NOBODY:
                debt.line.append(debt)

    def appended(self, record: MemoryRecord) -> None:
        """Look at a record that a worker wrote."""
        self._appended += 1
        topic = record.topic()
        if topic == self._names.attempts:
            document = attempts.decode(record.value() or b"")
            if isinstance(document, Tile):
                self._tiles[document.id] = document.previous
            return
        mark = decode(record.headers())
        debt = self._debt_of(mark)
        if debt is None:
            self.blame("invented", f"{topic} holds {mark.origin} for {mark.destination}")
            return
        self._sequence[topic, record.partition(), record.offset()] = self._appended
        debt.has_time_until = min(debt.has_time_until, mark.first_failed_at + self._script.give_up_after - GRACE)
        debt.copies.append((self._appended, TopicPartition(topic, record.partition())))
        if topic == self._names.dead:
            debt.is_dead = True
            self._inquire(debt, mark)

    def polled(self, life: str, epochs: Mapping[TopicPartition, int], records: Sequence[Record]) -> None:
        """Note what a worker may post now, and from when on. What an earlier assignment began to post stays so."""
        for record in records:
            where = TopicPartition(record.topic(), record.partition())
            place = (where.topic, record.offset(), epochs[where])
            if record.topic() == self._names.events:
                for debt in self._by_place[record.partition(), record.offset()].debts.values():
                    debt.tickets.setdefault(life, {})[place] = 0.0
                continue
            mark = decode(record.headers())
            if (owed := self._debt_of(mark)) is not None:
                owed.tickets.setdefault(life, {})[place] = mark.due_at if mark.attempts else 0.0

    def posting(self, life: str, flight: object, destination: str, org: str, ids: Sequence[str]) -> None:
        """Look at a post as it leaves a worker: whose events, and is it time?"""
        for each in ids:
            event = self.events.get(each)
            debt = event.debts.get(destination) if event is not None else None
            if event is None or debt is None:
                self.blame("invented", f"{life} posts {each} to {destination}")
                continue
            if org not in {event.org, "*"}:
                self.blame("foreign", f"{life} posts {each} to {destination} of {org}")
            # A batch that is halved is sent again at once, within one round.
            if (life, flight) not in debt.rounds:
                debt.rounds.add((life, flight))
                self._collect(debt, life)

    def received(self, life: str, destination: str, ids: Sequence[str]) -> None:
        """Look at a post as it reaches an org: was an earlier event overtaken, which comes only now?

        One that has had its time may be given up any moment, and is waited for no more; a copy of it is a repeat.
        """
        if self._script.settings.ordering == "any":
            return
        seen: set[str] = set()
        for each in ids:
            seen.add(each)
            debt = self.events[each].debts[destination]
            if debt.overtaken:
                self.blame("order", f"{life} posts {debt}, {debt.overtaken}")
                debt.overtaken = ""
            if debt.is_over:
                continue
            for earlier in debt.line:
                if earlier is debt:
                    break
                if not earlier.is_over and earlier.event.id not in seen and self._clock.wall() < earlier.has_time_until:
                    earlier.overtaken = f"which {each} of {life} overtook at {self._clock.monotonic():.4f}"

    def took(self, destination: str, ids: Sequence[str]) -> None:
        """Note what an org applied."""
        for each in ids:
            self.events[each].debts[destination].is_taken = True

    def answered(self, destination: str, ids: Sequence[str], outcomes: Sequence[Outcome]) -> None:
        """Note an answer that reached a worker."""
        for each, outcome in zip(ids, outcomes, strict=True):
            if not isinstance(outcome, Retryable):
                debt = self.events[each].debts[destination]
                debt.is_delivered = debt.is_delivered or not isinstance(outcome, Rejected)
                debt.is_rejected = debt.is_rejected or isinstance(outcome, Rejected)

    def committed(
        self,
        before: Mapping[TopicPartition, Committed],
        after: Mapping[TopicPartition, Committed],
        cluster: Cluster,
    ) -> None:
        """Look at a commit: is all before it settled, and booked?"""
        for where, place in after.items():
            start = before[where].offset if where in before else 0
            if place.offset < start:
                self.blame("backwards", f"{where} was committed to {start}, and now to {place.offset}")
            if not self._is_booked(place.metadata):
                self.blame("untiled", f"{where} is committed to {place.offset}, whose tiles are not all written")
            for record in cluster.log(where).between(start, place.offset):
                for debt in self._unsettled(record):
                    self.blame("ahead", f"{where} is committed to {place.offset}, past {debt}")

    def close(self) -> None:
        """At the end, when all is quiet: has everything come to an end that somebody knows of?"""
        for event in self.events.values():
            for debt in event.debts.values():
                if not debt.is_taken and not debt.is_dead:
                    self.blame("lost", f"{debt}: neither taken nor a dead letter")

    def _debt_of(self, mark: Mark) -> Debt | None:
        event = self._by_place.get((mark.origin.partition, mark.origin.offset))
        return event.debts.get(mark.destination) if event is not None else None

    def _inquire(self, debt: Debt, mark: Mark) -> None:
        """Ask what an event died of."""
        has_cause = {
            "rejected": debt.is_rejected or debt.event.emission.kind == "poison",
            "gave_up": mark.due_at - mark.first_failed_at >= self._script.give_up_after - GRACE,
            "not_cloudevent": debt.event.emission.kind == "broken",
        }
        if not has_cause.get(mark.reason):
            self.blame("dead", f"{debt} died of {mark.reason}")

    def _collect(self, debt: Debt, life: str) -> None:
        """Take the ticket for one round of posts."""
        now, tickets = self._clock.wall(), debt.tickets.get(life, {})
        due = [place for place, at in tickets.items() if at <= now + GRACE]
        if due:
            del tickets[due[0]]
        elif tickets:
            left = min(tickets.values()) - now
            self.blame("early", f"{life} posts {debt} {left:.3f} s before it is due")
        else:
            self.blame("early", f"{life} posts {debt} once more without having read it again")

    def _is_booked(self, tile: str) -> bool:
        """Follow the chain of tiles back; what was found whole once is not followed again."""
        chain = []
        name: str | None = tile
        while name is not None:
            if name not in self._tiles:
                return False
            chain.append(name)
            name = self._tiles[name]
        for each in chain:
            self._tiles[each] = None
        return True

    def _unsettled(self, record: MemoryRecord) -> list[Debt]:
        if record.topic() == self._names.events:
            debts = list(self._by_place[record.partition(), record.offset()].debts.values())
            return [debt for debt in debts if not debt.is_delivered and not debt.copies]
        debt = self._debt_of(decode(record.headers()))
        if debt is None or debt.is_delivered:
            return []
        since = self._sequence[record.topic(), record.partition(), record.offset()]
        return [] if any(at > since for at, _ in debt.copies) else [debt]
