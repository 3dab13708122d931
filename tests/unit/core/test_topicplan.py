"""The difference between the topics that are wanted and those that are there."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.topicplan import Change, Configure, Create, Grow, Layout, Refuse, difference, must_drain
from headrace.model.topic import TopicState

DAY = 86_400
LAYOUT = Layout(
    events="events",
    dead="dead",
    attempts="attempts",
    retries=("retry.5s", "retry.1h"),
    partitions=12,
    replication=3,
    min_insync_replicas=2,
    retention=7 * DAY,
    max_message_bytes=4 << 20,
    larger=64 << 20,
)
NAMES = ["attempts", "retry.5s", "retry.1h", "dead", "events"]

Cluster = dict[str, TopicState]
T = TypeVar("T")


def applied(changes: Sequence[Change], present: Cluster) -> Cluster:
    """What a cluster is after the changes: the model of Kafka that the plan is checked against."""
    after = dict(present)
    for change in changes:
        match change:
            case Create(topic=name, partitions=partitions, replication=replication, config=config):
                assert name not in after
                after[name] = TopicState(name=name, partitions=partitions, replication=replication, config=config)
            case Grow(topic=name, partitions=partitions):
                assert partitions > after[name].partitions
                after[name] = msgspec.structs.replace(after[name], partitions=partitions)
            case Configure(topic=name, config=config):
                after[name] = msgspec.structs.replace(after[name], config={**after[name].config, **config})
            case Refuse():
                pass
    return after


def cluster(layout: Layout = LAYOUT) -> Cluster:
    return applied(difference(layout, {}, may_reorder=False), {})


def of(kind: type[T], changes: Sequence[Change]) -> list[T]:
    return [change for change in changes if isinstance(change, kind)]


def test_an_empty_cluster_gets_every_topic_and_the_events_topic_last() -> None:
    """An emitter may write as soon as the events topic is there: by then the rest must be."""
    created = difference(LAYOUT, {}, may_reorder=False)

    assert [change.topic for change in of(Create, created)] == NAMES
    assert {(change.partitions, change.replication) for change in of(Create, created)} == {(12, 3)}


def test_retention_doubles_beside_the_events_topic() -> None:
    config = {name: state.config for name, state in cluster().items()}

    assert config["events"]["retention.ms"] == str(7 * DAY * 1000)
    assert {config[name]["retention.ms"] for name in NAMES if name != "events"} == {str(14 * DAY * 1000)}


@pytest.mark.parametrize(("retention", "segment_ms"), [(7 * DAY, DAY * 1000), (3600, 900_000), (0.001, 1)])
def test_a_segment_spans_a_day_at_most_and_a_quarter_of_a_short_retention(retention: float, segment_ms: int) -> None:
    layout = msgspec.structs.replace(LAYOUT, retention=retention)

    assert cluster(layout)["events"].config["segment.ms"] == str(segment_ms)


def test_retry_and_dead_topics_take_larger_records() -> None:
    config = {name: state.config["max.message.bytes"] for name, state in cluster().items()}

    assert config.pop("events") == str(4 << 20)
    assert set(config.values()) == {str(64 << 20)}


def test_a_topic_that_is_as_wanted_is_left_alone() -> None:
    assert difference(LAYOUT, cluster(), may_reorder=False) == []


def test_settings_that_are_nobodys_business_are_left_alone() -> None:
    present = cluster()
    present["dead"] = msgspec.structs.replace(present["dead"], config={**present["dead"].config, "flush.ms": "1"})

    assert difference(LAYOUT, present, may_reorder=False) == []


def test_only_the_settings_that_differ_are_changed() -> None:
    present = cluster()
    present["dead"] = msgspec.structs.replace(
        present["dead"], config={**present["dead"].config, "cleanup.policy": "compact"}
    )

    assert difference(LAYOUT, present, may_reorder=False) == [
        Configure(topic="dead", was={"cleanup.policy": "compact"}, config={"cleanup.policy": "delete"})
    ]


def test_all_topics_grow_together_even_tiers_that_are_no_longer_configured() -> None:
    present = cluster() | {"retry.30s": msgspec.structs.replace(cluster()["retry.5s"], name="retry.30s")}
    wider = msgspec.structs.replace(LAYOUT, partitions=24)

    changes = difference(wider, present, may_reorder=False)

    grown = ["retry.5s", "retry.1h", "retry.30s", "dead", "events"]
    assert changes == [Grow(topic=name, was=12, partitions=24) for name in grown]


def test_a_new_tier_has_as_many_partitions_as_the_events_topic() -> None:
    more = msgspec.structs.replace(LAYOUT, partitions=6, retries=(*LAYOUT.retries, "retry.2h"))

    [created] = of(Create, difference(more, cluster(), may_reorder=False))

    assert (created.topic, created.partitions) == ("retry.2h", 12)


@pytest.mark.parametrize("ordered", [False, True])
def test_order_is_kept_by_growing_only_what_is_drained(ordered: bool) -> None:
    wider = msgspec.structs.replace(LAYOUT, partitions=24, ordered=ordered, retries=(*LAYOUT.retries, "retry.2h"))
    present = cluster()

    assert must_drain(wider, present) is ordered
    changes = difference(wider, present, may_reorder=not ordered)

    if ordered:
        assert [(change.topic, change.partitions) for change in of(Create, changes)] == [("retry.2h", 12)]
        assert [change.topic for change in of(Refuse, changes)] == ["events"]
        assert "--accept-reorder" in of(Refuse, changes)[0].way_out
        assert not of(Grow, changes)
    else:
        assert {change.topic for change in of(Grow, changes)} == {"events", "dead", *LAYOUT.retries}


def test_what_is_drained_grows_under_ordering_too() -> None:
    wider = msgspec.structs.replace(LAYOUT, partitions=24, ordered=True)

    changes = difference(wider, cluster(), may_reorder=True)

    assert (
        {change.topic for change in of(Grow, changes)}
        == {"events", "dead", *LAYOUT.retries}
        == {change.topic for change in changes}
    )


def test_a_tier_that_an_interrupted_growth_left_behind_follows_even_under_ordering() -> None:
    """Records come to a tier by partition number, never by key: growing it reorders nothing."""
    ordered = msgspec.structs.replace(LAYOUT, ordered=True)
    present = cluster()
    present["retry.1h"] = msgspec.structs.replace(present["retry.1h"], partitions=6)

    assert difference(ordered, present, may_reorder=False) == [Grow(topic="retry.1h", was=6, partitions=12)]


def test_partitions_are_never_taken_away() -> None:
    fewer = msgspec.structs.replace(LAYOUT, partitions=6)

    changes = difference(fewer, cluster(), may_reorder=True)

    refused = of(Refuse, changes)
    assert changes == refused
    assert [(change.topic, change.way_out) for change in refused] == [("events", "set topics.partitions to 12")]


def test_a_tier_wider_than_the_events_topic_is_refused() -> None:
    present = cluster()
    present["retry.1h"] = msgspec.structs.replace(present["retry.1h"], partitions=24)

    [refused] = of(Refuse, difference(LAYOUT, present, may_reorder=True))

    assert (refused.topic, refused.way_out) == ("retry.1h", "set topics.partitions to 24")


def test_replication_is_refused_and_never_asks_for_more_copies_in_sync_than_there_are() -> None:
    present = cluster(msgspec.structs.replace(LAYOUT, replication=1, min_insync_replicas=1))

    changes = difference(LAYOUT, present, may_reorder=False)

    assert {type(change) for change in changes} == {Refuse}
    assert [change.topic for change in changes] == NAMES


layouts = st.builds(
    Layout,
    events=st.just("events"),
    dead=st.just("dead"),
    attempts=st.just("attempts"),
    retries=st.lists(st.sampled_from(["retry.5s", "retry.30s", "retry.5m"]), unique=True).map(tuple),
    partitions=st.integers(1, 6),
    replication=st.integers(1, 3),
    min_insync_replicas=st.integers(1, 3),
    retention=st.floats(0.001, 100 * DAY),
    max_message_bytes=st.integers(1024, 4096),
    larger=st.integers(16_384, 65_536),
    ordered=st.booleans(),
)
configs = st.dictionaries(st.sampled_from(["retention.ms", "segment.ms", "flush.ms"]), st.sampled_from(["1", "1000"]))
clusters = st.dictionaries(
    st.sampled_from(["events", "dead", "attempts", "retry.5s", "retry.30s", "retry.7d"]),
    st.tuples(st.integers(1, 8), st.integers(1, 3), configs),
).map(
    lambda topics: {
        name: TopicState(name=name, partitions=partitions, replication=replication, config=config)
        for name, (partitions, replication, config) in topics.items()
    }
)


@given(layouts, clusters, st.booleans())
def test_what_was_applied_leaves_nothing_but_what_was_refused(
    layout: Layout, present: Cluster, may_reorder: bool
) -> None:
    first = difference(layout, present, may_reorder=may_reorder)
    after = applied(first, present)

    assert difference(layout, after, may_reorder=may_reorder) == of(Refuse, first)
    assert present.keys() <= after.keys()


@given(layouts, clusters, st.booleans())
def test_where_nothing_is_refused_events_retries_and_dead_have_the_same_partitions(
    layout: Layout, present: Cluster, may_reorder: bool
) -> None:
    changes = difference(layout, present, may_reorder=may_reorder)
    after = applied(changes, present)

    if not of(Refuse, changes):
        assert {state.partitions for name, state in after.items() if name != "attempts"} == {layout.partitions}


@given(layouts, clusters)
def test_under_ordering_the_events_topic_grows_only_with_leave(layout: Layout, present: Cluster) -> None:
    before = present.get("events")
    after = applied(difference(layout, present, may_reorder=False), present)

    if layout.ordered and before is not None:
        assert after["events"].partitions == before.partitions
