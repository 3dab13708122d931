"""What people paused, written to the control topic and read back."""

import pytest

from headrace.broker.memory import MemoryBroker
from headrace.control.pauses import TOPIC_EVERY, Pauses, Pausing
from headrace.model.pause import Pause
from headrace.testing.clock import FakeClock
from headrace.wire.topics import TopicNames

NAMES = TopicNames("some.")
crm = Pause(destination="crm", by="ada", at=1000.5, why="their server moves")
acme = Pause(destination="crm", org="acme", by="ada", at=1001.0)


class Desk:
    """A writer, and a reader that began before the topic was there."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.broker = MemoryBroker(self.clock)
        self.pausing = Pausing(self.broker, NAMES, replication=1, in_sync=1)
        self.pauses = self.reader()

    def reader(self) -> Pauses:
        return Pauses(self.broker.reader, NAMES, self.clock)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_river_that_nobody_ever_paused_has_no_control_topic(desk: Desk) -> None:
    assert desk.pauses.look() == {}
    assert NAMES.control not in desk.broker.admin().describe()


def test_decisions_are_read_in_their_order_also_by_who_comes_later(desk: Desk) -> None:
    desk.pauses.look()
    desk.pausing.pause(crm)
    desk.clock.advance(TOPIC_EVERY)
    assert desk.pauses.look() == {"crm": crm}

    desk.pausing.pause(acme)
    desk.pausing.resume(crm)
    assert desk.pauses.look() == desk.reader().look() == {"crm/acme": acme}

    desk.pausing.resume(acme)
    assert desk.pauses.look() == {}


def test_the_topic_is_compacted_and_has_one_partition(desk: Desk) -> None:
    desk.pausing.pause(crm)

    state = desk.broker.admin().describe()[NAMES.control]
    assert (state.partitions, state.config["cleanup.policy"]) == (1, "compact")


def test_what_is_no_pause_is_passed_over(desk: Desk) -> None:
    desk.pausing.pause(acme)
    producer = desk.broker.producer(memory=1 << 20)
    for key, value in [(b"\xff", b"{}"), (None, b"{}"), (b"other/x", b"{}"), (b"pause/log", b"{"), (b"pause/x", b"[]")]:
        producer.produce(NAMES.control, key=key, value=value, partition=0)
    producer.flush(1)

    assert desk.pauses.look() == {"crm/acme": acme}
