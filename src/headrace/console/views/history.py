"""What befell a dead letter's event at its destination before it died: tier by tier, post by post."""

import msgspec

from headrace.console.sources import Sources
from headrace.console.telling.journey import Chain, Station
from headrace.console.telling.search import Search
from headrace.wire.letters import DeadLetter

RECORDS = 5_000
SECONDS = 1.0
"""Bounds of the search: it is part of a page that is asked for often. The event's journey looks further."""

BEFORE = 60.0
"""Seconds before its first failure in which the post that failed may have begun, where its record is gone."""

AFTER = 10.0
"""Seconds after its end in which its last post may have been noted."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The *stations* that were found, in the order of time, the letter itself the last. *is_cut*: there may be more."""

    stations: list[Station] = []
    is_cut: bool = False

    @property
    def posts(self) -> int:
        """How many posts were found."""
        return sum(each.kind == "posted" for each in self.stations)


def history_of(letter: DeadLetter, sources: Sources) -> History:
    """Look for it in what Kafka still holds; nothing befell a letter that never had a destination."""
    mark, names = letter.mark, sources.facts.names
    if mark is None or not mark.destination.strip("-"):
        return History()
    search = Search(sources.reader, sources.clock, RECORDS, SECONDS)
    tiers = sorted(topic for topic in sources.reader.topics() if names.tier_of(topic) is not None)
    written = search.written_at(mark.origin)
    chain = Chain(search, names, tiers, mark.origin, letter.org, until=letter.died + AFTER)
    found = chain.from_(mark.first_failed_at - BEFORE if written is None else written)
    own = f"{names.dead}/{letter.position}"
    stations = [
        each for each in found if each.destination == mark.destination and (each.kind != "died" or each.place == own)
    ]
    return History(stations=stations, is_cut=search.is_cut)
