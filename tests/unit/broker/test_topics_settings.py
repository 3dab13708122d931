"""`[topics]`: what can be laid out, and what cannot."""

import pytest

from headrace.broker.topics import layout
from headrace.broker.topics_settings import TopicsSettings
from headrace.model.units import Duration, Size

TIERS = [Duration.parse("5s"), Duration.parse("1h")]


@pytest.mark.parametrize(("replication", "given", "in_sync"), [(1, None, 1), (2, None, 1), (3, None, 2), (3, 3, 3)])
def test_by_default_one_copy_may_be_missing(replication: int, given: int | None, in_sync: int) -> None:
    assert TopicsSettings(replication=replication, min_insync_replicas=given).in_sync == in_sync


@pytest.mark.parametrize("in_sync", [0, 3])
def test_more_copies_in_sync_than_there_are_would_refuse_every_record(in_sync: int) -> None:
    with pytest.raises(ValueError, match="min_insync_replicas"):
        TopicsSettings(replication=2, min_insync_replicas=in_sync)


@pytest.mark.parametrize("prefix", ["a/", "staging ", "ä.", "x" * 201])
def test_a_prefix_that_no_topic_may_have_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        TopicsSettings(prefix=prefix)


def test_nothing_can_be_kept_for_no_time() -> None:
    with pytest.raises(ValueError, match="retention"):
        TopicsSettings(retention=Duration(0))


@pytest.mark.parametrize("size", ["1023B", "60MiB", "1GiB"])
def test_a_dead_letter_of_the_largest_event_must_fit_into_a_client(size: str) -> None:
    with pytest.raises(ValueError, match="max_message_bytes"):
        TopicsSettings(max_message_bytes=Size.parse(size))


@pytest.mark.parametrize("size", ["1KiB", "59MiB"])
def test_the_bounds_themselves_are_allowed(size: str) -> None:
    assert layout(TopicsSettings(max_message_bytes=Size.parse(size)), TIERS, ordered=False).larger <= 1_000_000_000


def test_the_layout_names_every_topic() -> None:
    wanted = layout(TopicsSettings(prefix="staging."), TIERS, ordered=True)

    assert wanted.events == "staging.headrace.events"
    assert wanted.dead == "staging.headrace.dead"
    assert wanted.attempts == "staging.headrace.attempts"
    assert wanted.retries == ("staging.headrace.retry.5s", "staging.headrace.retry.1h")
    assert wanted.larger == 16 * wanted.max_message_bytes
    assert wanted.ordered
