"""Who is in the workers' consumer group, what each one holds, and how far behind it is. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from headrace.broker.port import Member
from headrace.console.watching.river import River
from headrace.console.watching.watch import Watched
from headrace.model.record import TopicPartition


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One member, the partitions that it holds by topic, and their *lag* in records; None where it is not known."""

    id: str
    client: str
    host: str
    holds: Mapping[str, Sequence[int]]
    lag: int | None


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """The group as it was seen *at* that time; *state* is None before the first time, or where it cannot be seen.

    *trouble* is a sentence where it is older than it should be, or is not there.
    """

    at: float | None = None
    state: str | None = None
    members: Sequence[Share] = ()
    trouble: str = ""


def members_of(watched: Watched) -> Members:
    """Tell who is in the group, those that are furthest behind first."""
    if watched.group is None:
        return Members(trouble=watched.group_trouble)
    lags = _lags(watched.river)
    shares = [_share(each, lags) for each in watched.group.members]
    shares.sort(key=lambda share: (-(share.lag or 0), share.id))
    return Members(at=watched.group_at, state=watched.group.state, members=shares, trouble=watched.group_trouble)


def holders(watched: Watched, topic: str) -> Mapping[int, str]:
    """Return which member holds each partition of *topic*, by its id; partitions that nobody holds are left out."""
    members = watched.group.members if watched.group else ()
    return {place.partition: each.id for each in members for place in each.holds if place.topic == topic}


def _share(member: Member, lags: Mapping[TopicPartition, int]) -> Share:
    holds: dict[str, list[int]] = {}
    for place in sorted(member.holds):
        holds.setdefault(place.topic, []).append(place.partition)
    known = [lags[place] for place in member.holds if place in lags]
    is_known = len(known) == len(member.holds)
    return Share(
        id=member.id, client=member.client, host=member.host, holds=holds, lag=sum(known) if is_known else None
    )


def _lags(river: River | None) -> Mapping[TopicPartition, int]:
    """Return the lag of every partition; where nothing was committed yet, all that is kept waits."""
    topics = river.topics if river else ()
    return {
        TopicPartition(topic.name, part.partition): part.end - part.start if part.lag is None else part.lag
        for topic in topics
        for part in topic.parts
    }
