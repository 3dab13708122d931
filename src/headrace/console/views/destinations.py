"""Destinations: how each stands, for all orgs or for one."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from headrace.console.fields import Org
from headrace.console.flow import Sums, at_destination, lately
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.watching.condition import Standing, standing
from headrace.console.watching.river import Waiting
from headrace.console.watching.seen import Seen, line, seen
from headrace.console.watching.watch import Watched
from headrace.core.report import Line
from headrace.model.destination import Destination
from headrace.model.mark import NOBODY


class DestinationsAsk(msgspec.Struct, frozen=True, kw_only=True):
    """For which org."""

    org: Org | None = None


class DestinationLine(msgspec.Struct, frozen=True, kw_only=True):
    """One destination. *type* is empty where it is configured no more. *target* is a server, and never a whole URL.

    *books* are its columns, *hour* what was counted in the last hour or two, None while nothing was.
    *shared*: all orgs are one lane there.
    """

    destination: str
    type: str
    target: str
    shared: bool
    standing: Standing
    books: Line | None
    hour: Sums | None


class Destinations(msgspec.Struct, frozen=True, kw_only=True):
    """Every destination. *log_trouble* says why what the event log has is missing."""

    rows: Sequence[DestinationLine]
    seen: Seen
    log_trouble: str = ""


def read_destinations(ask: DestinationsAsk, sources: Sources) -> Destinations:
    """Return the destinations of *org*'s route, or all of them."""
    watched = sources.watch.latest()
    return Destinations(rows=destination_lines(sources, watched, ask.org), seen=seen(watched, ask.org))


def destination_lines(sources: Sources, watched: Watched, org: str | None) -> Sequence[DestinationLine]:
    """Return a line for each destination that is configured, or that the books know."""
    known = watched.books.of(org).destinations if watched.books else {}
    routed = sources.facts.destinations if org is None else sources.facts.destinations_of(org)
    counted = lately(sources, org)
    return [
        destination_line(sources, watched, name, org, at_destination(counted, name))
        for name in sorted({*routed, *(name for name in known if name != NOBODY)})
    ]


def destination_line(
    sources: Sources, watched: Watched, name: str, org: str | None, hour: Sums | None
) -> DestinationLine:
    """Return the line of one destination, for *org* or for all."""
    configured = sources.facts.destinations.get(name)
    is_shared = configured is not None and configured.shared
    lane = NOBODY if is_shared else org
    recent = sources.watch.recent
    stands = standing(
        name,
        org,
        recent.lanes(name, lane),
        waiting_for(watched, name, None if is_shared else org),
        watched.pauses,
        sources.clock.wall(),
        recent.latest(name, lane, limit=200),
    )
    return DestinationLine(
        destination=name,
        type=configured.type if configured else "",
        target=target_of(configured),
        shared=is_shared,
        standing=_for_org(stands) if is_shared and org is not None else stands,
        books=line(watched, org, name),
        hour=hour,
    )


def waiting_for(watched: Watched, destination: str, org: str | None) -> Sequence[Waiting]:
    """Return what waits for one destination at the heads of the tiers, of *org* or of all."""
    heads = watched.river.waiting if watched.river else ()
    return [each for each in heads if each.destination == destination and org in {None, each.org}]


def target_of(destination: Destination | None) -> str:
    """Return the server that is posted to. A whole URL may hold a token, so it is never shown."""
    url = getattr(destination.settings, "url", "") if destination else ""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _for_org(stands: Standing) -> Standing:
    """Leave out what is told of a lane that other orgs share."""
    return msgspec.structs.replace(stands, error="")


DESTINATIONS = View(
    name="destinations",
    path="/destinations",
    title="Destinations",
    ask=DestinationsAsk,
    answer=Destinations,
    read=read_destinations,
    outlives_log=True,
    group="River",
    help="Where events go: whether each destination takes them, since when not, and what waits for it.",
)
