"""Journey: where one event stood in Kafka, which posts it was in, and what became of it."""

import msgspec

from headrace.console.fields import Org
from headrace.console.sources import Sources
from headrace.console.telling.journey import Station, follow
from headrace.console.telling.search import Identity, Search
from headrace.console.view import View
from headrace.console.viewer import Absent
from headrace.console.views.event import EventId
from headrace.console.views.session import SessionName
from headrace.eventlog.port import EventQuery
from headrace.model.record import TopicPartition
from headrace.wire.envelope import Bad, read

RECORDS = 50_000
"""Records that one search looks at, at most."""

SECONDS = 5.0
"""How long it may take."""


class JourneyAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which event."""

    org: Org
    session: SessionName
    id: EventId


class JourneyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An event's way, its *stations* in the order of time, and how far that can be trusted.

    *destinations* are those that the org's events go to now. *is_settled* says that the workers have committed beyond
    it, None where its place is not known. *looked_at* records were searched; *note* says what could not be found.
    """

    seq: int | None
    type: str
    at: float
    destinations: list[str]
    stations: list[Station]
    is_settled: bool | None
    looked_at: int
    note: str = ""


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
    way = follow(search, names, tiers, identity, event.at)
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
        note=_note(is_found=way.origin is not None, is_kept=way.is_kept, is_cut=search.is_cut),
    )


def _note(*, is_found: bool, is_kept: bool, is_cut: bool) -> str:
    limit = f"the search ended at its limit, {RECORDS:,} records or {SECONDS:.0f} s"
    if is_found:
        return f"There may be more: {limit}." if is_cut else ""
    if not is_kept:
        return "Its record is older than what the topic still holds: retention has deleted it."
    if is_cut:
        return f"Its record was not found: {limit}."
    return (
        "Its record was not found among those written around the event's time: it was written much later, "
        "from a journal, or by a clock that differs."
    )


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
