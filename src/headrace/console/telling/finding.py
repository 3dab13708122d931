"""Finds an event's record on the main topic, from its time on outwards: most are written within milliseconds."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from headrace.console.telling.search import EARLY, Identity, Search, is_of, likely_partitions
from headrace.model.record import Record, TopicPartition

STEPS = (0.3, EARLY, 60.0, 600.0)
"""Seconds around an event's time within which its record is looked for, step by step."""

LATER = STEPS[2:]
"""The steps of a search that goes on where another one ended."""

SPARED = 0.9
"""Which part of what may still be looked at is planned for: records do not come evenly."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The record, or None; then *until* is the time up to which there is none, whatever its partition."""

    record: Record | None = None
    until: float


def find(search: Search, topic: str, identity: Identity, at: float, since: float | None = None) -> Found:
    """Look for the event of *at*, in ever longer stretches of all partitions, none of which is read twice.

    In each the partitions come first that the event has where its order is kept. With *since* the search goes on from
    there; that is how an event is found that came from a journal long after its time.
    """
    walk = _Walk(search, topic, at if since is None else since)
    likely = likely_partitions(identity, search.partitions(topic))
    others = [partition for partition in range(search.partitions(topic)) if partition not in likely]
    back = EARLY if since is None else 0.0
    until = walk.begin
    for step in STEPS if since is None else LATER:
        reached = []
        for partitions in (likely, others):
            end = walk.within(partitions, until, walk.begin + step)
            for record in walk.to(partitions, walk.begin - min(step, back), end):
                if is_of(record, identity):
                    return Found(record=record, until=end)
            reached.append(end)
        if search.is_cut:
            break
        until = min(reached)
        if until < walk.begin + step:
            search.is_cut = True
            break
    return Found(until=until)


class _Walk:
    """Which offsets of each partition were read already, around the time *begin*."""

    def __init__(self, search: Search, topic: str, begin: float) -> None:
        self._search = search
        self._topic = topic
        self._first = dict(search.offsets(topic, begin))
        self._end = dict(self._first)
        self.begin = begin

    def within(self, partitions: Sequence[int], read_to: float, end: float) -> float:
        """Return *end*, or an earlier time where from *read_to* until then it is more than may be looked at."""
        most = SPARED * self._search.left
        while (count := self._count(partitions, self._search.offsets(self._topic, end))) > most:
            span = min(end, self._search.now) - read_to
            if span < 0.01:  # so many records at one moment: what may be looked at of them is
                break
            end = read_to + span * min(0.9, SPARED * most / count)
        return end

    def to(self, partitions: Sequence[int], since: float, until: float) -> Iterator[Record]:
        """Yield what was not read yet of *partitions*, from *since* up to *until*."""
        firsts, ends = self._search.offsets(self._topic, since), self._search.offsets(self._topic, until)
        for partition in partitions:
            place = TopicPartition(self._topic, partition)
            first, end = self._first[partition], self._end[partition]
            self._first[partition] = min(first, firsts[partition])
            self._end[partition] = max(end, ends[partition])
            yield from self._search.stretch(place, self._first[partition], first)
            yield from self._search.stretch(place, end, self._end[partition])

    def _count(self, partitions: Sequence[int], ends: Mapping[int, int]) -> int:
        return sum(max(0, ends[partition] - self._end[partition]) for partition in partitions)
