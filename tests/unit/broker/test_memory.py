"""What a test can plan with the memory broker."""

import pytest

from headrace.broker.memory import MemoryBroker
from headrace.broker.port import Committed
from headrace.errors import BrokerError, BrokerUnavailable
from headrace.model.record import TopicPartition
from headrace.testing.broker_bench import Member, name, new_topic, numbers, read_all, until, values, write
from headrace.testing.clock import FakeClock


def test_a_topic_refuses_writes_until_it_is_told_to_accept_them() -> None:
    broker = MemoryBroker()
    refusing, other = new_topic(broker), new_topic(broker)
    producer = broker.producer(memory=1 << 20)
    acknowledged: list[BrokerError | None] = []

    broker.refuse(refusing)
    for topic in (refusing, other):
        producer.produce(topic, key=None, value=b"v", on_ack=acknowledged.append)
    producer.poll()
    broker.accept(refusing)
    producer.produce(refusing, key=None, value=b"later", on_ack=acknowledged.append)
    producer.poll()

    assert [error is None for error in acknowledged] == [False, True, True]
    assert values(read_all(broker, refusing)) == [b"later"]


def test_a_stopped_broker_takes_nothing_and_loses_nothing() -> None:
    broker = MemoryBroker()
    topic, group = new_topic(broker), name("group")
    producer = broker.producer(memory=1 << 20)
    member = Member(broker, group, topic)
    until(lambda: bool(member.owned), member)

    broker.stop()
    producer.produce(topic, key=None, value=b"held")
    producer.poll()
    member.poll(0.0)
    with pytest.raises(BrokerUnavailable):
        broker.admin().describe()
    with pytest.raises(BrokerUnavailable):
        member.consumer.commit({TopicPartition(topic, 0): Committed(1)}, wait=True)
    assert (len(producer), member.records) == (1, [])
    broker.start()
    producer.poll()
    member.poll()

    assert len(producer) == 0
    assert member.values() == [b"held"]


def test_a_stopped_broker_outlasts_a_producers_patience() -> None:
    clock = FakeClock()
    broker = MemoryBroker(clock)
    topic = new_topic(broker)
    producer = broker.producer(memory=1 << 20, patience=5.0)
    acknowledged: list[BrokerError | None] = []
    broker.stop()

    producer.produce(topic, key=None, value=b"v", on_ack=acknowledged.append)
    clock.advance(4.9)
    producer.poll()
    assert acknowledged == []
    clock.advance(0.1)
    producer.poll()

    assert [type(each) for each in acknowledged] == [BrokerUnavailable]


def test_close_gives_up_what_a_stopped_broker_did_not_take() -> None:
    broker = MemoryBroker()
    topic = new_topic(broker)
    failed: list[bytes | None] = []
    producer = broker.producer(memory=1 << 20, on_failed=lambda _topic, _key, value, _why: failed.append(value))
    broker.stop()
    for value in numbers(0, 3):
        producer.produce(topic, key=None, value=value)

    assert producer.close(0.0) == 3

    assert failed == numbers(0, 3)


def test_retention_deletes_from_the_front() -> None:
    broker = MemoryBroker()
    topic = new_topic(broker)
    place = TopicPartition(topic, 0)
    write(broker, topic, numbers(0, 10))

    broker.delete_records(place, 4)
    broker.delete_records(place, 2)

    assert broker.reader().bounds(topic) == {0: (4, 10)}
    assert values(broker.reader().read(place, 0, 10)) == numbers(4, 10)
    member = Member(broker, name("group"), topic)
    member.poll_until(6)
    assert [record.offset() for record in member.records] == [*range(4, 10)]


def test_a_member_that_expires_hears_of_it_and_joins_again() -> None:
    broker = MemoryBroker()
    topic, group = new_topic(broker), name("group")
    place = TopicPartition(topic, 0)
    member = Member(broker, group, topic)
    until(lambda: bool(member.owned), member)

    broker.evict(group)
    with pytest.raises(BrokerError):
        member.consumer.commit({place: Committed(1)}, wait=True)
    member.poll(0.0)

    assert member.told == [("assign", [place]), ("lost", [place]), ("assign", [place])]
    assert broker.reader().committed(group, [place]) == {}
