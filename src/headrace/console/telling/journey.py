"""An event's own way: from the bot onto the main topic, into posts, over tiers, to the end that it came to."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from headrace.broker.partitioning import partition_of
from headrace.console.telling.search import EARLY, Identity, Search, is_of, likely_partitions, posts_in
from headrace.console.telling.texts import shown
from headrace.model.record import Origin, Record
from headrace.wire import attempts, headers
from headrace.wire.times import from_text
from headrace.wire.topics import TopicNames

LATE = 600.0
"""Seconds that a record may be younger than its event says; one that was spilled to a journal may be older still."""

Kind = Literal["emitted", "recorded", "posted", "hopped", "died"]


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that befell an event, *at* that time; what is not told of such a thing is None or empty.

    *place* is `topic/partition/offset`. Of a post: *events*, *bytes* and *seconds* of its batch and what these came
    to; *is_certain* is False where another event may have been in the batch and not this one. Of a move to a *tier*
    and of a dead letter: *attempts* made before, when it is *due* and why.
    """

    kind: Kind
    at: float
    destination: str = ""
    place: str = ""
    is_certain: bool = True
    events: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    delivered: int | None = None
    retryable: int | None = None
    rejected: int | None = None
    attempts: int | None = None
    tier: str = ""
    due: float | None = None
    reason: str = ""
    error: str = ""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """What could be found of an event's way. *origin* is its place on the main topic, None where that was not found."""

    origin: Origin | None
    is_kept: bool
    stations: list[Station]


def follow(search: Search, names: TopicNames, retry_topics: Sequence[str], identity: Identity, at: float) -> Way:
    """Look for the event that was emitted at *at*, and follow it to the end, as far as the search goes."""
    stations = [Station(kind="emitted", at=at)]
    record = _find(search, names.events, identity, at)
    if record is None:
        first = likely_partitions(identity, search.partitions(names.events))[:1]
        return Way(
            origin=None,
            is_kept=all(search.is_kept(names.events, partition, at - EARLY) for partition in first),
            stations=stations,
        )
    origin = Origin(record.topic(), record.partition(), record.offset())
    written = record.timestamp()[1] / 1000
    stations.append(Station(kind="recorded", at=written, place=str(origin)))
    since = min(at, written) - EARLY
    stations += befell(search, names, retry_topics, origin, identity.org, since)
    return Way(origin=origin, is_kept=True, stations=sorted(stations, key=_order))


def befell(
    search: Search,
    names: TopicNames,
    retry_topics: Sequence[str],
    origin: Origin,
    org: str,
    since: float,
    until: float | None = None,
) -> list[Station]:
    """Return the posts and moves of what stood at *origin* from *since* on, those of all its destinations."""
    stations: list[Station] = []
    places = [origin]
    for topic in (*retry_topics, names.dead):
        for found in search.records(topic, [origin.partition], since, until):
            station = _move(found, names, origin)
            if station is not None:
                stations.append(station)
                places.append(Origin(topic, found.partition(), found.offset()))
    return sorted((*stations, *_posts(search, names, places, org, since, until)), key=_order)


def _find(search: Search, topic: str, identity: Identity, at: float) -> Record | None:
    partitions = likely_partitions(identity, search.partitions(topic))
    records = search.records(topic, partitions, at - EARLY, at + LATE)
    return next((record for record in records if is_of(record, identity)), None)


def _move(record: Record, names: TopicNames, origin: Origin) -> Station | None:
    """Return the move to a tier, or the end as a dead letter, that *record* is, if it is of *origin*."""
    found = dict(record.headers() or ())
    if found.get("hr-origin") != str(origin).encode("ascii", "backslashreplace"):
        return None
    try:
        mark = headers.decode(list(found.items()))
    except ValueError:
        return None
    is_dead = record.topic() == names.dead
    return Station(
        kind="died" if is_dead else "hopped",
        at=record.timestamp()[1] / 1000,
        destination=mark.destination,
        place=str(Origin(record.topic(), record.partition(), record.offset())),
        attempts=mark.attempts,
        tier="" if is_dead else names.tier_of(record.topic()) or "",
        due=None if is_dead else mark.due_at,
        reason=mark.reason,
        error=shown(mark.error, 512).text,
    )


def _posts(
    search: Search, names: TopicNames, places: list[Origin], org: str, since: float, until: float | None
) -> Iterator[Station]:
    """Yield the posts in which one of *places* was; all attempts of one partition are in one of the attempts topic."""
    count = search.partitions(names.attempts)
    keys = {attempts.key(place.topic, place.partition) for place in places} if count else set()
    partitions = sorted({partition_of(key, count) for key in keys})
    for record in search.records(names.attempts, partitions, since, until):
        if record.key() not in keys:
            continue
        for attempt, place, is_certain in posts_in(record, places, org):
            yield Station(
                kind="posted",
                at=from_text(attempt.at),
                destination=attempt.destination,
                place=str(place),
                is_certain=is_certain,
                events=attempt.events,
                bytes=attempt.bytes,
                seconds=attempt.ms / 1000,
                delivered=attempt.delivered,
                retryable=attempt.retryable,
                rejected=attempt.rejected,
                error=shown(attempt.error, 512).text,
            )


_ORDER: dict[Kind, int] = {"emitted": 0, "recorded": 1, "posted": 2, "hopped": 3, "died": 4}


def _order(station: Station) -> tuple[bool, float, int]:
    """The begin comes first, whatever the clocks say."""
    return station.kind not in {"emitted", "recorded"}, station.at, _ORDER[station.kind]
