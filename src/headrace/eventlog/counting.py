"""The numbers of the graphs: what attempts, tiles and redrives add to the counters of a minute. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from headrace.core.chain import follow
from headrace.eventlog.merging import Merging
from headrace.model.mark import NOBODY
from headrace.model.record import TopicPartition
from headrace.wire.attempts import Attempt, RedriveNote, Tile
from headrace.wire.times import from_text

EVERY_ORG = "*"
"""The sum of all orgs has counters of its own: no org can be called so."""

NOWHERE = ""
"""The destination of events before anybody has looked where they go."""

STEPS = (60, 3600, 0)
"""Seconds that one counter covers: a minute, an hour, and all time."""


class Counter(msgspec.Struct, kw_only=True):
    """What happened in *step* seconds from *at* on for one org at one destination.

    From attempts: *posts*, how many *failed* whole, the events *posted* in them and *refused* by the destination,
    their *bytes* and the milliseconds they took, in sum and the *slowest_ms*. Posts to a destination that is one lane
    for all orgs are those of the org `-`. *aged* posts told how old their first event was when it was delivered, in
    sum *age_ms* and at most *oldest_ms*. From the tiles that count: events *accepted* (once per destination),
    *delivered*, moved to tiers (*retried*), *dead*-lettered, and *redriven*. From the growth of the events topic:
    events *emitted*, whatever becomes of them; those are of all orgs, at the destination `NOWHERE`.
    """

    step: int
    org: str
    destination: str
    at: int
    posts: int = 0
    failed: int = 0
    posted: int = 0
    refused: int = 0
    bytes: int = 0
    ms: float = 0.0
    slowest_ms: float = 0.0
    aged: int = 0
    age_ms: float = 0.0
    oldest_ms: float = 0.0
    accepted: int = 0
    delivered: int = 0
    retried: int = 0
    dead: int = 0
    redriven: int = 0
    emitted: int = 0


COUNTER = Merging(
    key=("step", "org", "destination", "at"),
    sums=(
        "posts",
        "failed",
        "posted",
        "refused",
        "bytes",
        "ms",
        "aged",
        "age_ms",
        "accepted",
        "delivered",
        "retried",
        "dead",
        "redriven",
        "emitted",
    ),
    greatest=("slowest_ms", "oldest_ms"),
)


class Counters:
    """Counters by step, org, destination and time."""

    def __init__(self) -> None:
        self._counters: dict[tuple[int, str, str, int], Counter] = {}

    def all(self) -> Sequence[Counter]:
        """Return every counter."""
        return list(self._counters.values())

    def add_attempt(self, attempt: Attempt) -> None:
        """Count a post."""
        org = NOBODY if attempt.org == EVERY_ORG else attempt.org
        for counter in self._of(org, attempt.destination, attempt.at):
            counter.posts += 1
            counter.failed += attempt.retryable == attempt.events
            counter.posted += attempt.events
            counter.refused += attempt.rejected
            counter.bytes += attempt.bytes
            counter.ms += attempt.ms
            counter.slowest_ms = max(counter.slowest_ms, attempt.ms)
            counter.aged += attempt.age_ms > 0
            counter.age_ms += attempt.age_ms
            counter.oldest_ms = max(counter.oldest_ms, attempt.age_ms)

    def add_tile(self, tile: Tile, *, is_main: bool) -> None:
        """Count a settled chunk; only what comes from the main topic is new to the river."""
        for count in tile.counts:
            for counter in self._of(count.org, count.destination, tile.at):
                counter.accepted += count.total if is_main else 0
                counter.delivered += count.delivered
                counter.retried += sum(count.tiers.values())
                counter.dead += sum(count.dead.values())

    def add_redrive(self, note: RedriveNote) -> None:
        """Count the records that a redrive put back."""
        for record in note.records:
            for counter in self._of(record.org, record.destination, note.at):
                counter.redriven += 1

    def add_emitted(self, seconds: int, events: int) -> None:
        """Count *events* that were emitted in the minute of *seconds*; none at all is known, too."""
        for step in STEPS:
            self._at(step, EVERY_ORG, NOWHERE, seconds).emitted += events

    def _of(self, org: str, destination: str, at: str) -> Iterator[Counter]:
        try:
            seconds = int(from_text(at))
        except ValueError:
            return
        for whose in (org, EVERY_ORG):
            for step in STEPS:
                yield self._at(step, whose, destination, seconds)

    def _at(self, step: int, org: str, destination: str, seconds: int) -> Counter:
        key = (step, org, destination, seconds - seconds % step if step else 0)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = Counter(step=step, org=org, destination=destination, at=key[3])
        return counter


class Settled(msgspec.Struct, frozen=True):
    """How far the tiles of one partition are counted: the offset after the last one that counts."""

    place: TopicPartition
    offset: int


class Verdict(msgspec.Struct, frozen=True):
    """Of the tiles that wait: those that count now, and the ids of all that need not wait any longer."""

    counting: Sequence[Tile]
    done: Collection[str]
    settled: Settled


def judge(settled: Settled, offset: int, named: str, waiting: Sequence[Tile]) -> Verdict:
    """Decide which of the *waiting* tiles of a partition count, now that its group has committed *offset*.

    As in the audit, those count that the chain from the commit reaches, which *named* its tile. A tile that ends
    before the commit and is in no chain was written by a worker that had lost the partition, and counts never.
    """
    chain = follow(offset, named, waiting).tiles
    counting = [tile for tile in chain if tile.first >= settled.offset]
    done = {tile.id for tile in waiting if tile.next <= offset}
    return Verdict(counting, done, Settled(settled.place, max(offset, settled.offset)))


def by_place(tiles: Iterable[Tile]) -> Mapping[TopicPartition, Sequence[Tile]]:
    """Group *tiles* by the partition that they cover."""
    found: dict[TopicPartition, list[Tile]] = {}
    for tile in tiles:
        found.setdefault(TopicPartition(tile.topic, tile.partition), []).append(tile)
    return found


def settled_at(places: Mapping[TopicPartition, int], place: TopicPartition) -> Settled:
    """Return how far the tiles of *place* are counted."""
    return Settled(place, places.get(place, 0))
