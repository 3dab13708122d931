"""Looks at the cluster's topics and makes them what the configuration asks for (`core.topicplan` decides)."""

from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from headrace.broker.port import Admin, Reader
from headrace.broker.topics_settings import LARGER, TopicsSettings
from headrace.core.topicplan import Change, Configure, Create, Grow, Layout, Refuse, difference, must_drain
from headrace.model.record import TopicPartition
from headrace.model.topic import TopicState
from headrace.model.units import Duration
from headrace.wire.topics import TopicNames


def layout(settings: TopicsSettings, tiers: Sequence[Duration], *, ordered: bool) -> Layout:
    """Return the topics that *settings* and the retry *tiers* ask for."""
    names = TopicNames(settings.prefix)
    return Layout(
        events=names.events,
        dead=names.dead,
        attempts=names.attempts,
        retries=tuple(names.retry(delay) for delay in tiers),
        partitions=settings.partitions,
        replication=settings.replication,
        min_insync_replicas=settings.in_sync,
        retention=settings.retention,
        max_message_bytes=int(settings.max_message_bytes),
        larger=LARGER * settings.max_message_bytes,
        ordered=ordered,
    )


def plan(
    admin: Admin, reader: Callable[[], Reader], wanted: Layout, names: TopicNames, *, accept_reorder: bool = False
) -> list[Change]:
    """Return how the cluster differs from *wanted*. *reader* is opened only when the topics must be drained."""
    present = own(admin.describe(), names)
    may_reorder = accept_reorder
    if must_drain(wanted, present) and not accept_reorder:
        opened = reader()
        try:
            may_reorder = is_drained(opened, names, present)
        finally:
            opened.close()
    return difference(wanted, present, may_reorder=may_reorder)


def apply(admin: Admin, changes: Sequence[Change], tell: Callable[[Change], None]) -> None:
    """Make each change, and *tell* it when it is made; what is refused is left as it is. Raise `BrokerError`."""
    for change in changes:
        match change:
            case Create(topic=name, partitions=partitions, replication=replication, config=config):
                admin.create(TopicState(name=name, partitions=partitions, replication=replication, config=config))
            case Grow(topic=name, partitions=partitions):
                admin.add_partitions(name, partitions)
            case Configure(topic=name, config=config):
                admin.configure(name, config)
            case Refuse():
                continue
            case _:
                assert_never(change)
        tell(change)


def own(present: Mapping[str, TopicState], names: TopicNames) -> Mapping[str, TopicState]:
    """Return the topics of this prefix: the named ones, and every retry topic that exists."""
    named = {names.events, names.dead, names.attempts}
    return {name: state for name, state in present.items() if name in named or names.delay_of(name) is not None}


def is_drained(reader: Reader, names: TopicNames, present: Mapping[str, TopicState]) -> bool:
    """Tell whether the workers have committed all that the events topic and the tiers hold."""
    for name in present:
        if name in {names.dead, names.attempts}:
            continue
        bounds = reader.bounds(name)
        places = reader.committed(names.group, [TopicPartition(name, partition) for partition in bounds])
        for partition, (first, end) in bounds.items():
            place = places.get(TopicPartition(name, partition))
            if max(first, place.offset if place else 0) < end:
                return False
    return True
