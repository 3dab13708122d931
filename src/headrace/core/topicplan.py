"""Which topics there should be, and how a cluster differs from that (design, section 3.2)."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from headrace.model.topic import TopicState

DAY_MS = 86_400_000


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The topics that the configuration asks for. *retries* are those of its tiers; *retention* is in seconds.

    *ordered* says that a key's partition matters (`session` or `org` ordering). *max_message_bytes* is the events
    topic's, *larger* that of all others.
    """

    events: str
    dead: str
    attempts: str
    retries: tuple[str, ...]
    partitions: int
    replication: int
    min_insync_replicas: int
    retention: float
    max_message_bytes: int
    larger: int
    ordered: bool = False


class Create(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="create"):
    """A topic that is missing."""

    topic: str
    partitions: int
    replication: int
    config: Mapping[str, str]


class Grow(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="grow"):
    """A topic that has too few partitions."""

    topic: str
    was: int
    partitions: int


class Configure(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="configure"):
    """A topic whose settings differ. *was* holds what was set explicitly; *config* only the keys that change."""

    topic: str
    was: Mapping[str, str]
    config: Mapping[str, str]


class Refuse(msgspec.Struct, frozen=True, kw_only=True, tag_field="change", tag="refuse"):
    """What differs and cannot be changed in place, and the way out."""

    topic: str
    reason: str
    way_out: str


Change = Create | Grow | Configure | Refuse


def must_drain(layout: Layout, present: Mapping[str, TopicState]) -> bool:
    """Tell whether the events topic would grow while keys' partitions matter, so that it must be drained first."""
    events = present.get(layout.events)
    return layout.ordered and events is not None and events.partitions < layout.partitions


def difference(layout: Layout, present: Mapping[str, TopicState], *, may_reorder: bool) -> list[Change]:
    """Return what makes *present* the *layout*, in the order in which to apply it; nothing when it is so already.

    *present* are the topics of this prefix: those that the layout does not name are retry topics of earlier tiers,
    which are served, grown and configured like the others. *may_reorder* allows what `must_drain` asks about. A topic
    that is refused in one respect is still changed in the others.
    """
    changes: list[Change] = []
    # The events topic comes last, so that an interrupted change leaves no event without its place on a tier.
    followers = [*_retries(layout, present), layout.dead]
    partitions = _partitions(layout, present, may_reorder=may_reorder)
    for name in [layout.attempts, *followers, layout.events]:
        state = present.get(name)
        config = _config(layout, name)
        if state is None:
            changes.append(Create(topic=name, partitions=partitions, replication=layout.replication, config=config))
            continue
        # The attempts topic is read whole: how many partitions it has means nothing.
        if name != layout.attempts:
            changes += _resize(layout, state, partitions)
        changes += _reconfigure(layout, state, config)
    return changes


def _retries(layout: Layout, present: Mapping[str, TopicState]) -> Sequence[str]:
    named = {layout.events, layout.dead, layout.attempts, *layout.retries}
    return [*layout.retries, *sorted(present.keys() - named)]


def _partitions(layout: Layout, present: Mapping[str, TopicState], *, may_reorder: bool) -> int:
    """Return how many partitions the events, retry and dead topics shall all have."""
    events = present.get(layout.events)
    if events is None:
        return layout.partitions
    if must_drain(layout, present) and not may_reorder:
        return events.partitions
    return max(events.partitions, layout.partitions)


def _resize(layout: Layout, state: TopicState, partitions: int) -> Iterator[Change]:
    if state.partitions < partitions:
        yield Grow(topic=state.name, was=state.partitions, partitions=partitions)
    elif state.name == layout.events and state.partitions < layout.partitions:
        yield Refuse(
            topic=state.name,
            reason=f"under this ordering it grows from {state.partitions} to {layout.partitions} partitions "
            "only when everything in it and on the tiers is delivered",
            way_out="stop the emitters, wait until the workers have delivered what is left and apply again, "
            "or give up the order of what is under way with --accept-reorder",
        )
    elif state.partitions > (layout.partitions if state.name == layout.events else max(partitions, layout.partitions)):
        yield Refuse(
            topic=state.name,
            reason=f"it has {state.partitions} partitions, and Kafka cannot take any away to leave {layout.partitions}",
            way_out=f"set topics.partitions to {state.partitions}",
        )


def _reconfigure(layout: Layout, state: TopicState, config: Mapping[str, str]) -> Iterator[Change]:
    if state.replication != layout.replication:
        yield Refuse(
            topic=state.name,
            reason=f"it has {state.replication} copies of each record, and {layout.replication} are configured",
            way_out=f"move it with Kafka's kafka-reassign-partitions, or set topics.replication to {state.replication}",
        )
        # More copies in sync than there are would refuse every record.
        in_sync = min(layout.min_insync_replicas, state.replication)
        config = {**config, "min.insync.replicas": str(in_sync)}
    differing = {key: value for key, value in config.items() if state.config.get(key) != value}
    if differing:
        was = {key: state.config[key] for key in differing if key in state.config}
        yield Configure(topic=state.name, was=was, config=differing)


def _config(layout: Layout, topic: str) -> Mapping[str, str]:
    main = topic == layout.events
    retention = max(1, int(layout.retention * 1000)) * (1 if main else 2)
    return {
        "cleanup.policy": "delete",
        "max.message.bytes": str(layout.max_message_bytes if main else layout.larger),
        # Retention counts from the arrival: a producer whose clock is wrong neither loses events nor keeps them.
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(layout.min_insync_replicas),
        "retention.ms": str(retention),
        # Only whole segments expire: one may outlive its retention by its own span, a quarter or a day.
        "segment.ms": str(max(1, min(DAY_MS, retention // 4))),
    }
