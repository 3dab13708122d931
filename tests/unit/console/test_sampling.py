"""What one look reads of a river: a little of what is new."""

import msgspec
import pytest

from headrace.broker.memory import MemoryBroker
from headrace.console.watching.history import sample
from headrace.console.watching.recent import Recent
from headrace.console.watching.river import River, see
from headrace.console.watching.sampling import ARRIVALS, Sampling
from headrace.core.positions import Positions
from headrace.ledger.positions import look
from headrace.model.topic import TopicState
from headrace.testing.broker_bench import write
from headrace.testing.clock import FakeClock
from headrace.wire.times import to_text
from headrace.wire.topics import TopicNames

NAMES = TopicNames()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def broker(clock: FakeClock) -> MemoryBroker:
    made = MemoryBroker(clock)
    for topic in (NAMES.events, NAMES.dead, NAMES.attempts):
        made.admin().create(TopicState(name=topic, partitions=1, replication=1))
    return made


def emitted(at: float) -> bytes:
    return msgspec.json.encode({"time": to_text(at)})


def test_events_that_came_since_tell_how_long_they_took(broker: MemoryBroker, clock: FakeClock) -> None:
    sampling, reader = Sampling(NAMES, Recent()), broker.reader()

    def arrivals() -> list[float]:
        return [round(each, 3) for each in sampling.arrivals(reader, look(reader, NAMES))]

    write(broker, NAMES.events, [emitted(clock.wall() - 60)])
    assert arrivals() == [], "how it was before the console came is not known"

    now = clock.wall()
    write(broker, NAMES.events, [emitted(now - 0.25), b"no event", b'{"time":"noon"}', emitted(now + 9)])
    assert arrivals() == [0.25, 0.0], "a clock that is ahead makes no time negative"
    assert arrivals() == []

    write(broker, NAMES.events, [emitted(clock.wall())] * (10 * ARRIVALS))
    assert len(arrivals()) == ARRIVALS


def test_a_sample_tells_the_median_and_the_slowest() -> None:
    positions: Positions = {NAMES.events: {}, NAMES.attempts: {}}
    river = River(at=5.0, topics=see(positions, {}, NAMES, 5.0, None))

    some, none = sample(river, [0.001, 0.002, 0.009]), sample(river, [])

    assert (some.emit_ms, some.emit_slowest_ms) == (2.0, 9.0)
    assert (none.at, none.emit_ms, none.emit_slowest_ms) == (5.0, None, None)
