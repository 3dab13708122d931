"""An event's stay at one place of the main topic or of a tier: the posts that it was in there, and where it went."""

from collections.abc import Collection, Iterator

import msgspec

from headrace.broker.partitioning import partition_of
from headrace.console.telling.search import EARLY, Search, post_in
from headrace.model.mark import NOBODY
from headrace.model.record import Origin, Record, TopicPartition
from headrace.model.tile import Tile
from headrace.wire import attempts
from headrace.wire.attempts import Attempt
from headrace.wire.times import from_text
from headrace.wire.topics import TopicNames

SPANS = (20.0, 120.0, 900.0, 7_200.0)
"""Seconds after which it is looked whether the tile was among what was read so far."""

Posts = list[tuple[Attempt, bool]]
"""Attempts, each with whether it is certain that the event was among its events."""


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """The *posts* of an event at one place. A tile says when it left, and to which *tiers* its org's events went, or
    whether they *died*; where there is neither, all were delivered. Without a tile *left_at* is None.
    """

    posts: Posts = []
    left_at: float | None = None
    tiers: Collection[str] = ()
    died: bool = False


def look(search: Search, names: TopicNames, place: Origin, org: str, since: float, until: float | None) -> Stay:
    """Look for what the attempts topic holds of *place*, which the event came to at *since* or later."""
    count = search.partitions(names.attempts)
    if not count:
        return Stay()
    own = partition_of(attempts.key(place.topic, place.partition), count)
    posts: Posts = []
    tile: Tile | None = None
    for record in _until_tile(search, names.attempts, own, since, until):
        if record is None:
            if tile is not None:
                break
            continue
        tile = tile or _tile_of(record, place)
        _add(posts, record, place, org)
    left_at = None if tile is None else from_text(tile.at)
    # A post is noted by the first of the partitions that its events are of, which may be any.
    others = [partition for partition in range(count) if partition != own]
    for record in search.records(names.attempts, others, since, until if left_at is None else left_at + EARLY):
        _add(posts, record, place, org)
    counts = [each for each in tile.counts if each.org in {org, NOBODY}] if tile else []
    tiers = {tier for each in counts for tier in each.tiers}
    return Stay(posts=posts, left_at=left_at, tiers=tiers, died=any(each.dead for each in counts))


def _until_tile(
    search: Search, topic: str, partition: int, since: float, until: float | None
) -> Iterator[Record | None]:
    """Yield what was written from *since* on, and None after each of the spans."""
    place, start = TopicPartition(topic, partition), search.offsets(topic, since)[partition]
    last = search.offsets(topic, until)[partition]
    for span in (*SPANS, None):
        stop = last if span is None else min(last, search.offsets(topic, since + span)[partition])
        yield from search.stretch(place, start, stop)
        start = max(start, stop)
        yield None


def _add(posts: Posts, record: Record, place: Origin, org: str) -> None:
    post = post_in(record, place, org)
    if post is not None:
        posts.append(post)


def _tile_of(record: Record, place: Origin) -> Tile | None:
    """Return the tile that *record* is, if it tells of *place*."""
    value = record.value()
    if value is None or b'"tile"' not in value or record.key() != attempts.key(place.topic, place.partition):
        return None
    try:
        tile = attempts.decode(value)
        from_text(tile.at)
    except (msgspec.DecodeError, ValueError):
        return None
    if not isinstance(tile, Tile) or (tile.topic, tile.partition) != (place.topic, place.partition):
        return None
    return tile if tile.first <= place.offset < tile.next else None
