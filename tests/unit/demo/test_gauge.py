"""The gauge shows what the watchman saw."""

from collections.abc import Mapping

import pytest

from headrace.console.watching.river import River, see
from headrace.console.watching.watch import Books, Watch
from headrace.core.columns import Account
from headrace.core.positions import Position
from headrace.core.report import Report
from headrace.demo.gauge import Gauge, Reading, Tier, read_levels, scale, since
from headrace.wire.topics import TopicNames

NAMES = TopicNames("demo.")


def river(at: float, waiting: Mapping[str, int]) -> River:
    """Return a river of one partition, with so many events waiting on each topic."""
    positions = {topic: {0: Position(5, 5 + lag)} for topic, lag in waiting.items()}
    return River(at=at, topics=see(positions, {}, NAMES, at, None))


SCENE = {NAMES.events: 11, "demo.headrace.retry.10s": 2, "demo.headrace.retry.2s": 0}


def test_what_is_not_settled_waits() -> None:
    """The shortest tier comes first."""
    assert read_levels(river(12.5, SCENE)) == Reading(
        at=12.5,
        lag=11,
        tiers=[Tier(name="2s", delay=2.0, waiting=0), Tier(name="10s", delay=10.0, waiting=2)],
        full=50,
    )


@pytest.mark.parametrize(
    ("most", "full"), [(0, 50), (50, 50), (51, 100), (180, 200), (201, 500), (1_000, 1_000), (1_001, 2_000)]
)
def test_columns_have_room(most: int, full: int) -> None:
    assert scale([0, most]) == full


def test_tiers_fill_and_drain() -> None:
    def reading(full: int = 50, **waiting: int) -> Reading:
        tiers = [Tier(name=name, delay=1.0, waiting=count) for name, count in waiting.items()]
        return Reading(at=0.0, lag=0, tiers=tiers, full=full)

    now = since(reading(a=5, b=5, c=5), reading(a=8, b=1, c=5, new=3))

    assert [tier.change for tier in now.tiers] == [3, -4, 0, 0]
    assert [since(reading(a=400, full=500), reading(a=count)).full for count in (60, 40)] == [500, 50]
    assert [tier.change for tier in since(None, reading(a=5)).tiers] == [0]


def test_the_gauge_tells_what_was_seen_last_and_what_changed() -> None:
    watch = Watch()
    gauge = Gauge(watch)
    assert gauge.latest() is None

    watch.tell(river=river(1.0, SCENE))
    first = gauge.latest()
    watch.tell(river=river(2.0, {**SCENE, "demo.headrace.retry.10s": 9}))
    books = Books(at=2.0, seconds=0.1, account=Account(), positions={}, whole=Report(accepted=7))
    watch.tell(books=books)
    second, again = gauge.latest(), gauge.latest()

    assert first is not None
    assert (first.books, [tier.change for tier in first.tiers]) == (None, [0, 0])
    assert second is not None
    assert (second.books, [tier.change for tier in second.tiers]) == (books.whole, [0, 7])
    assert again == second
