"""The river as it is seen at one moment: topics, how far they are settled, and what waits on the tiers. Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from headrace.core.positions import Position, Positions
from headrace.model.mark import NOBODY
from headrace.model.record import Record, TopicPartition
from headrace.wire.headers import decode
from headrace.wire.letters import cell_of
from headrace.wire.topics import TopicNames

Kind = Literal["events", "retry", "dead", "attempts"]

_ORDER: Sequence[Kind] = ("events", "retry", "dead", "attempts")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One partition. *committed* and *lag* are None where nobody commits.

    *oldest_at* is the time of the record at the committed offset, None where there is none or it was not read.
    *standing_since* says since when nothing was committed although something waits, as far as it was seen.
    """

    partition: int
    start: int
    end: int
    committed: int | None = None
    lag: int | None = None
    oldest_at: float | None = None
    standing_since: float | None = None


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic. *delay*, in seconds, is that of a tier; *records* are those that it holds."""

    name: str
    kind: Kind
    tier: str | None = None
    delay: float | None = None
    parts: Sequence[Part]
    records: int
    lag: int | None
    oldest_at: float | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One record on a tier. Times are seconds since the epoch; *attempts* counts posts."""

    tier: str
    topic: str
    partition: int
    offset: int
    org: str
    destination: str
    session: str
    attempts: int
    reason: str
    error: str
    first_failed_at: float
    due_at: float
    origin: str


class River(msgspec.Struct, frozen=True, kw_only=True):
    """All topics at a moment, and the *waiting* that were read of the tiers' heads: all of them if *is_whole*."""

    at: float
    topics: Sequence[Topic]
    waiting: Sequence[Waiting] = ()
    is_whole: bool = True

    @property
    def events(self) -> Topic:
        return next(topic for topic in self.topics if topic.kind == "events")

    @property
    def tiers(self) -> Sequence[Topic]:
        """The tiers, the shortest first."""
        return [topic for topic in self.topics if topic.kind == "retry"]

    @property
    def lag_seconds(self) -> float | None:
        """How long the oldest unsettled event has been on the main topic; 0 when there is none."""
        if not self.events.lag:
            return 0.0
        return None if self.events.oldest_at is None else max(0.0, self.at - self.events.oldest_at)


def see(
    positions: Positions, oldest: Mapping[TopicPartition, float], names: TopicNames, at: float, before: River | None
) -> Sequence[Topic]:
    """Tell what *positions* mean; *oldest* are times of records at committed offsets, *before* was seen last time."""
    known = {(topic.name, part.partition): part for topic in (before.topics if before else ()) for part in topic.parts}
    since = before.at if before else at
    topics = []
    for name, numbers in positions.items():
        parts = []
        for number, position in sorted(numbers.items()):
            part = _part(number, position, oldest.get(TopicPartition(name, number)))
            parts.append(_standing(part, known.get((name, number)), since))
        topics.append(_topic(name, parts, names))
    return sorted(topics, key=lambda topic: (_ORDER.index(topic.kind), topic.delay or 0.0))


def read_waiting(record: Record, tier: str) -> Waiting:
    """Read a record of a tier; nothing in it makes this raise."""
    org, destination = cell_of(record)
    at = record.timestamp()[1] / 1000
    try:
        mark = decode(record.headers())
    except ValueError as error:
        told: dict[str, object] = {"attempts": 0, "reason": "unreadable", "error": str(error), "origin": ""}
        told |= {"first_failed_at": at, "due_at": at}
    else:
        told = {"attempts": mark.attempts, "reason": mark.reason, "error": mark.error, "origin": str(mark.origin)}
        told |= {"first_failed_at": mark.first_failed_at, "due_at": mark.due_at}
    place = {"topic": record.topic(), "partition": record.partition(), "offset": record.offset()}
    session = (record.key() or b"").decode(errors="replace").partition("/")[2]
    whose = {"tier": tier, "org": org or NOBODY, "destination": destination, "session": session}
    return msgspec.convert({**whose, **place, **told}, Waiting)


def _part(number: int, position: Position, oldest_at: float | None) -> Part:
    committed = position.committed
    lag = None if committed is None else max(0, position.end - max(committed, position.start))
    return Part(
        partition=number,
        start=position.start,
        end=position.end,
        committed=committed,
        lag=lag,
        oldest_at=oldest_at if lag else None,
    )


def _standing(part: Part, before: Part | None, since: float) -> Part:
    if not part.lag or before is None or before.committed != part.committed or not before.lag:
        return part
    return msgspec.structs.replace(part, standing_since=before.standing_since or since)


def _topic(name: str, parts: Sequence[Part], names: TopicNames) -> Topic:
    delay = names.delay_of(name)
    kinds: dict[str, Kind] = {names.events: "events", names.dead: "dead", names.attempts: "attempts"}
    lags = [part.lag for part in parts if part.lag is not None]
    return Topic(
        name=name,
        kind=kinds.get(name, "retry"),
        tier=names.tier_of(name) if delay is not None else None,
        delay=None if delay is None else float(delay),
        parts=parts,
        records=sum(part.end - part.start for part in parts),
        lag=sum(lags) if lags else None,
        oldest_at=min((part.oldest_at for part in parts if part.oldest_at is not None), default=None),
    )
