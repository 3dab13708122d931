"""An event's own way: from the bot onto the main topic, into posts, over tiers, to the end that it came to."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Literal

import msgspec

from headrace.console.telling.finding import find
from headrace.console.telling.search import EARLY, Identity, Search
from headrace.console.telling.stay import Stay, look
from headrace.console.telling.texts import shown
from headrace.model.record import Origin, Record
from headrace.wire import headers
from headrace.wire.attempts import Attempt
from headrace.wire.times import from_text
from headrace.wire.topics import TopicNames

AFTERWARDS = 50_000
"""Records that are looked at, at most, for what became of an event whose place is found."""

REDRIVEN_WITHIN = 120.0
"""Seconds before a redrive was noted, at most, in which its record was written."""

Redrives = Callable[[tuple[int, int]], float | None]
"""Tells when the dead letter at a partition and offset was put back; None: it was not, or that is not known."""

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
    """What could be found of an event's way. *origin* is its place on the main topic, None where that was not found:
    then *searched_to* says up to when all that was written was looked at.
    """

    origin: Origin | None
    is_kept: bool
    searched_to: float | None = None
    stations: list[Station]


def follow(
    search: Search,
    names: TopicNames,
    retry_topics: Sequence[str],
    identity: Identity,
    at: float,
    *,
    redriven: Redrives = lambda _: None,
    since: float | None = None,
) -> Way:
    """Look for the event that was emitted at *at*, from *since* on where that is known, and follow it to the end."""
    stations = [Station(kind="emitted", at=at)]
    found = find(search, names.events, identity, at, since)
    record = found.record
    if record is None:
        is_kept = search.is_kept(names.events, at - EARLY if since is None else since)
        return Way(origin=None, is_kept=is_kept, searched_to=found.until, stations=stations)
    origin = Origin(record.topic(), record.partition(), record.offset())
    written = record.timestamp()[1] / 1000
    stations.append(Station(kind="recorded", at=written, place=str(origin)))
    search.allow(AFTERWARDS)
    chain = Chain(search, names, retry_topics, origin, identity.org, redriven=redriven)
    stations += chain.from_(written)
    return Way(origin=origin, is_kept=True, stations=sorted(stations, key=_order))


class Chain:
    """What befell the event at *origin* up to *until* or now, at all its destinations, told from place to place.

    At each place a tile says when the event left it, and for where: so only that is looked at, however much the tiers
    hold. Where no tile is found, because it is still there or the tile is gone, all tiers are looked at from then on.
    *redriven* tells when a dead letter was put back.
    """

    def __init__(
        self,
        search: Search,
        names: TopicNames,
        retry_topics: Sequence[str],
        origin: Origin,
        org: str,
        *,
        until: float | None = None,
        redriven: Redrives = lambda _: None,
    ) -> None:
        self._search = search
        self._names = names
        self._tiers = retry_topics
        self._origin = origin
        self._org = org
        self._until = until
        self._redriven = redriven
        self._stays: deque[tuple[Origin, float]] = deque()
        self._seen: set[str] = set()
        self._all_since: float | None = None

    def from_(self, written: float) -> list[Station]:
        """Return the posts and the moves of what was written at *written*, in the order of time."""
        self._stays.append((self._origin, written))
        stations: list[Station] = []
        while self._stays:
            place, since = self._stays.popleft()
            stay = look(self._search, self._names, place, self._org, since - EARLY, self._until)
            posts = [_post(place, *post) for post in stay.posts]
            stations += [*posts, *self._moves(stay, since - EARLY)]
        return sorted(stations, key=_order)

    def _moves(self, stay: Stay, since: float) -> Iterator[Station]:
        if stay.left_at is not None:
            topics = [topic for topic in self._tiers if self._names.tier_of(topic) in stay.tiers]
            topics += [self._names.dead] * stay.died
            yield from self._between(topics, since, min(stay.left_at + EARLY, self._until or inf))
        elif self._all_since is None or since < self._all_since:
            self._all_since = since
            yield from self._between([*self._tiers, self._names.dead], since, self._until)

    def _between(self, topics: Sequence[str], since: float, until: float | None) -> Iterator[Station]:
        """Yield the moves of the event to *topics*; a record keeps the number of its partition all its life."""
        for topic in topics:
            for record in self._search.records(topic, [self._origin.partition], since, until):
                station = _move(record, self._names, self._origin)
                if station is None or station.place in self._seen:
                    continue
                self._seen.add(station.place)
                yield station
                yield from self._next(station, record)

    def _next(self, station: Station, record: Record) -> Iterator[Station]:
        """Go on where *station* leads: to the time at which a tier lets it go, or at which the letter was put back."""
        if station.kind == "hopped":
            # What was never posted may go ahead of its time, where an order is kept.
            since = station.due if station.attempts and station.due is not None else station.at
            self._stays.append((Origin(record.topic(), record.partition(), record.offset()), since))
        elif (at := self._redriven((record.partition(), record.offset()))) is not None:
            yield from self._between(self._tiers, at - REDRIVEN_WITHIN, at + EARLY)


def _post(place: Origin, attempt: Attempt, is_certain: bool) -> Station:
    return Station(
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


_ORDER: dict[Kind, int] = {"emitted": 0, "recorded": 1, "posted": 2, "hopped": 3, "died": 4}


def _order(station: Station) -> tuple[bool, float, int]:
    """The begin comes first, whatever the clocks say."""
    return station.kind not in {"emitted", "recorded"}, station.at, _ORDER[station.kind]
