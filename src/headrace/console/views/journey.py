"""Journey: where one event stood in Kafka, which posts it was in, and what became of it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.dead.book import LetterBook
from headrace.console.fields import Org, Time
from headrace.console.sources import Sources
from headrace.console.telling.journey import AFTERWARDS, Station, Way, follow
from headrace.console.telling.search import Identity, Search
from headrace.console.view import View
from headrace.console.viewer import Absent
from headrace.console.views.event import EventId
from headrace.console.views.session import SessionName
from headrace.eventlog.port import EventQuery
from headrace.model.record import Origin, TopicPartition
from headrace.wire.envelope import Bad, read

RECORDS = 200_000
"""Records that one search looks at, at most, until it has found the event: about a second of it."""

SECONDS = 5.0
"""How long it may take."""


class JourneyAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which event."""

    org: Org
    session: SessionName
    id: EventId
    since: Annotated[
        Time | None, Meta(description="Look for it among what was written from this time on, not around its own.")
    ] = None


class JourneyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An event's way, its *stations* in the order of time, and how far that can be trusted.

    *destinations* are those that the org's events go to now. *is_settled* says that the workers have committed beyond
    it, None where its place is not known. *looked_at* records were searched; *note* says what could not be found. Where
    its record was not, a search with *further* as `since` goes on where this one ended, unless that is None.
    """

    seq: int | None
    type: str
    at: float
    destinations: list[str]
    stations: list[Station]
    is_settled: bool | None
    looked_at: int
    note: str = ""
    further: float | None = None


def read_journey(ask: JourneyAsk, sources: Sources) -> JourneyAnswer:
    """Search Kafka for an event of the log; raise `Absent` when the log has no such event."""
    found = sources.log.find_events(EventQuery(org=ask.org, session=ask.session, id=ask.id, limit=1)).rows
    if not found:
        raise Absent("there is nothing here")
    event = found[0]
    envelope = read(event.value)
    source = "" if isinstance(envelope, Bad) else envelope.source
    names = sources.facts.names
    search = Search(sources.reader, sources.clock, RECORDS, SECONDS)
    tiers = sorted(topic for topic in sources.reader.topics() if names.tier_of(topic) is not None)
    identity = Identity(org=ask.org, session=ask.session, source=source, id=ask.id)
    letters = sources.letters
    way = follow(search, names, tiers, identity, event.at, redriven=letters.redriven_at, since=ask.since)
    is_settled = None
    if way.origin is not None:
        place = TopicPartition(way.origin.topic, way.origin.partition)
        committed = sources.reader.committed(names.group, [place]).get(place)
        is_settled = committed is not None and committed.offset > way.origin.offset
    return JourneyAnswer(
        seq=event.seq,
        type=event.type,
        at=event.at,
        destinations=list(sources.facts.destinations_of(ask.org)),
        stations=way.stations,
        is_settled=is_settled,
        looked_at=search.looked_at,
        note=_note(way, is_cut=search.is_cut) or _of_letters(way, letters),
        further=_further(way, sources.clock.wall()),
    )


def _further(way: Way, now: float) -> float | None:
    to = way.searched_to
    return to if to is not None and way.is_kept and to < now else None


def _note(way: Way, *, is_cut: bool) -> str:
    if way.origin is not None:
        limit = f"{AFTERWARDS:,} records or {SECONDS:.0f} s"
        return f"There may be more: the search ended at its limit, {limit}." if is_cut else ""
    if not way.is_kept:
        return "Its record is older than what the topic still holds: retention has deleted it."
    if is_cut:
        return f"Its record was not found: the search ended at its limit, {RECORDS:,} records or {SECONDS:.0f} s."
    return (
        "Its record was not found among those written around the event's time: it was written much later, "
        "from a journal, or by a clock that differs."
    )


def _of_letters(way: Way, letters: LetterBook) -> str:
    """Say where it is not known whether the event went on from the dead topic."""
    for station in way.stations:
        if station.kind == "died":
            place = Origin.parse(station.place)
            if letters.state((place.partition, place.offset)) == "unknown":
                return "Whether it was redriven is not known here, so there may be more after its end."
    return ""


JOURNEY = View(
    name="journey",
    path="/sessions/{org}/{session}/events/{id}/journey",
    title="Journey",
    ask=JourneyAsk,
    answer=JourneyAnswer,
    read=read_journey,
    needs="time",
    help="Where one event stood in Kafka, which posts it was in, and what became of it.",
)
