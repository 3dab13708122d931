"""Topics and lag: what Kafka holds of the river, and how far it is settled."""

from collections.abc import Sequence

import msgspec

from headrace.console.sources import Facts, Sources
from headrace.console.view import View
from headrace.console.watching.history import Sample
from headrace.console.watching.members import Members, members_of
from headrace.console.watching.river import Part, Topic
from headrace.console.watching.seen import Seen, seen

SHOWN_FOR = 3600.0
"""Seconds of the graph of lag."""


class TopicsAsk(msgspec.Struct, frozen=True, kw_only=True):
    """All of them."""


class TopicLine(msgspec.Struct, frozen=True, kw_only=True):
    """One topic. *lag_seconds* is the age of the oldest record that is not settled; *retention* is in seconds.

    *standing* counts partitions of which something waits although nothing was committed since the look before; of a
    tier something always waits until it is due.
    """

    name: str
    kind: str
    tier: str | None
    partitions: int
    records: int
    lag: int | None
    lag_seconds: float | None
    retention: float | None
    standing: int


class Topics(msgspec.Struct, frozen=True, kw_only=True):
    """*group* is the consumer group whose lag is told, *members* who is in it; *depth* the looks at the river since the
    console started.
    """

    group: str
    members: Members
    topics: Sequence[TopicLine]
    depth: Sequence[Sample]
    seen: Seen


def read_topics(ask: TopicsAsk, sources: Sources) -> Topics:  # noqa: ARG001  # there is nothing to choose
    """Return every topic of the river."""
    watched, facts, now = sources.watch.latest(), sources.facts, sources.clock.wall()
    river = watched.river
    return Topics(
        group=facts.names.group,
        members=members_of(watched),
        topics=[topic_line(topic, river.at, facts) for topic in river.topics] if river else (),
        depth=sources.watch.history.between(now - SHOWN_FOR, now, 5.0),
        seen=seen(watched, None),
    )


def topic_line(topic: Topic, at: float, facts: Facts) -> TopicLine:
    """Return the line of *topic* as it was seen *at* that time."""
    age = 0.0 if topic.lag == 0 else None
    return TopicLine(
        name=topic.name,
        kind=topic.kind,
        tier=topic.tier,
        partitions=len(topic.parts),
        records=topic.records,
        lag=topic.lag,
        lag_seconds=age if topic.oldest_at is None else max(0.0, at - topic.oldest_at),
        retention=(facts.topic_retention * (1 if topic.kind == "events" else 2)) or None,
        standing=sum(is_standing(part) for part in topic.parts) if topic.kind == "events" else 0,
    )


def is_standing(part: Part) -> bool:
    """Tell whether something waits in *part* and nobody settles it."""
    return part.standing_since is not None


TOPICS = View(
    name="topics",
    path="/topics",
    title="Topics and lag",
    ask=TopicsAsk,
    answer=Topics,
    read=read_topics,
    audience="operator",
    group="River",
    needs="memory",
    help="The topics of the river, how much they hold, and how far which worker is behind.",
)
