"""What every broker keeps to. A test class subclasses `BrokerContract` and gives it a fixture `broker`."""

import time

from headrace.broker.partitioning import partition_of
from headrace.broker.port import Broker
from headrace.errors import BrokerError, QueueFull, RecordTooLarge, TopicMissing
from headrace.model.record import TopicPartition
from headrace.model.topic import TopicState
from headrace.testing.broker_bench import PATIENCE, name, new_topic, numbers, read_all, values, write
from headrace.testing.broker_group_contract import GroupContract

HEADERS = [("content-type", b"application/json"), ("hr", b""), ("hr", b"\x00\xff")]


class ProducerContract:
    """What is written, and how it is acknowledged."""

    def test_a_record_comes_back_as_it_was_written(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=3)
        producer = broker.producer(memory=1 << 20)
        before = int(time.time() * 1000)

        producer.produce(topic, key=b"acme/s-1", value=b'{"a":"\xc3\xa5"}', headers=HEADERS, partition=2)
        assert producer.flush(PATIENCE) == 0
        (record,) = read_all(broker, topic, 2)

        assert (record.topic(), record.partition(), record.offset()) == (topic, 2, 0)
        assert (record.key(), record.value()) == (b"acme/s-1", b'{"a":"\xc3\xa5"}')
        assert list(record.headers() or ()) == HEADERS
        assert before <= record.timestamp()[1] <= int(time.time() * 1000)

    def test_null_and_empty_stay_what_they_are(self, broker: Broker) -> None:
        topic = new_topic(broker)
        producer = broker.producer(memory=1 << 20)
        pairs = [(None, None), (b"", b""), (None, b""), (b"", None)]

        for key, value in pairs:
            producer.produce(topic, key=key, value=value, partition=0)
        assert producer.flush(PATIENCE) == 0

        records = read_all(broker, topic)
        assert [(record.key(), record.value()) for record in records] == pairs
        assert not any(record.headers() for record in records)

    def test_acknowledgements_are_called_by_poll_once_each(self, broker: Broker) -> None:
        topic = new_topic(broker)
        producer = broker.producer(memory=1 << 20)
        acknowledged: list[tuple[int, BrokerError | None]] = []

        for number in range(3):
            producer.produce(
                topic,
                key=None,
                value=b"v",
                on_ack=lambda error, number=number: acknowledged.append((number, error)),  # type: ignore[misc]
            )
        assert acknowledged == []
        assert len(producer) == 3
        deadline = time.monotonic() + PATIENCE
        while len(acknowledged) < 3 and time.monotonic() < deadline:
            producer.poll(0.1)
        producer.poll(0.0)

        assert acknowledged == [(0, None), (1, None), (2, None)]
        assert len(producer) == 0
        assert producer.flush(PATIENCE) == 0

    def test_poll_returns_as_soon_as_something_is_acknowledged(self, broker: Broker) -> None:
        topic = new_topic(broker)
        producer = broker.producer(memory=1 << 20)
        producer.produce(topic, key=None, value=b"v", on_ack=lambda _: None)

        started = time.monotonic()
        while producer.poll(PATIENCE) == 0:
            pass

        assert time.monotonic() - started < PATIENCE / 2

    def test_a_key_decides_the_partition_as_with_java(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=7)
        producer = broker.producer(memory=1 << 20)
        keys = [f"org{number % 5}/s-{number}".encode() for number in range(60)]

        for key in keys:
            producer.produce(topic, key=key, value=None)
        assert producer.flush(PATIENCE) == 0

        for partition in range(7):
            there = [record.key() for record in read_all(broker, topic, partition)]
            assert there == [key for key in keys if partition_of(key, 7) == partition]

    def test_a_record_that_is_too_large_for_its_topic_fails_alone(self, broker: Broker) -> None:
        topic = new_topic(broker, max_message_bytes="2000")
        acknowledged: list[BrokerError | None] = []
        producer = broker.producer(memory=1 << 20, compression="none")

        producer.produce(topic, key=b"k", value=b"x" * 3000, partition=0, on_ack=acknowledged.append)
        assert producer.flush(PATIENCE) == 0
        producer.produce(topic, key=b"k", value=b"fits", partition=0, on_ack=acknowledged.append)
        assert producer.flush(PATIENCE) == 0

        assert [type(each) for each in acknowledged] == [RecordTooLarge, type(None)]
        assert values(read_all(broker, topic)) == [b"fits"]

    def test_a_record_above_the_producers_limit_fails_without_being_sent(self, broker: Broker) -> None:
        topic = new_topic(broker)
        acknowledged: list[BrokerError | None] = []
        producer = broker.producer(memory=1 << 20, max_message_bytes=5000)

        producer.produce(topic, key=None, value=b"x" * 6000, on_ack=acknowledged.append)
        assert acknowledged == []
        producer.poll(0.0)

        assert [type(each) for each in acknowledged] == [RecordTooLarge]

    def test_a_record_for_a_missing_topic_or_partition_fails(self, broker: Broker) -> None:
        topic = new_topic(broker)
        acknowledged: list[BrokerError | None] = []
        producer = broker.producer(memory=1 << 20)

        producer.produce(name("missing"), key=None, value=b"v", on_ack=acknowledged.append)
        producer.produce(topic, key=None, value=b"v", partition=1, on_ack=acknowledged.append)

        assert producer.flush(PATIENCE) == 0
        assert [type(each) for each in acknowledged] == [TopicMissing, TopicMissing]

    def test_failures_without_an_acknowledgement_are_heard_of(self, broker: Broker) -> None:
        topic = new_topic(broker, max_message_bytes="2000")
        failed: list[tuple[str, bytes | None, int, type[BrokerError]]] = []
        acknowledged: list[BrokerError | None] = []
        producer = broker.producer(
            memory=1 << 20,
            compression="none",
            on_failed=lambda where, key, value, why: failed.append((where, key, len(value or b""), type(why))),
        )

        producer.produce(topic, key=b"1", value=b"fits", partition=0)
        assert producer.flush(PATIENCE) == 0
        producer.produce(topic, key=b"2", value=b"x" * 3000, partition=0)
        producer.produce(topic, key=b"3", value=b"v", partition=1)
        producer.produce(topic, key=b"4", value=b"v", partition=1, on_ack=acknowledged.append)
        assert producer.flush(PATIENCE) == 0

        assert sorted(failed) == [(topic, b"2", 3000, RecordTooLarge), (topic, b"3", 1, TopicMissing)]
        assert [type(each) for each in acknowledged] == [TopicMissing]

    def test_the_queue_is_bounded_and_takes_more_once_acknowledged(self, broker: Broker) -> None:
        topic = new_topic(broker)
        producer = broker.producer(memory=1 << 20, linger=1.0)
        taken = 0
        try:
            for _ in range(3000):
                producer.produce(topic, key=None, value=b"x" * 700, partition=0)
                taken += 1
        except QueueFull:
            pass

        assert 300 <= taken <= (1 << 20) // 700
        assert producer.flush(PATIENCE) == 0
        producer.produce(topic, key=None, value=b"more", partition=0)
        assert producer.flush(PATIENCE) == 0
        assert len(read_all(broker, topic)) == taken + 1

    def test_a_partition_keeps_the_order_of_a_producer(self, broker: Broker) -> None:
        topic = new_topic(broker)

        write(broker, topic, numbers(0, 2000))

        records = read_all(broker, topic)
        assert values(records) == numbers(0, 2000)
        assert [record.offset() for record in records] == list(range(2000))

    def test_close_sends_what_is_queued_and_may_be_repeated(self, broker: Broker) -> None:
        topic = new_topic(broker)
        producer = broker.producer(memory=1 << 20, linger=1.0)
        acknowledged: list[BrokerError | None] = []
        producer.produce(topic, key=None, value=b"v", on_ack=acknowledged.append)

        assert producer.close(PATIENCE) == 0
        assert producer.close(PATIENCE) == 0

        assert acknowledged == [None]

    def test_a_producer_knows_how_many_partitions_there_are(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=5)
        producer = broker.producer(memory=1 << 20)

        assert producer.partitions(topic, PATIENCE) == 5
        assert _raised(lambda: producer.partitions(name("missing"), PATIENCE)) is TopicMissing


class ReaderContract:
    """What is read without a group."""

    def test_a_range_is_read_exactly(self, broker: Broker) -> None:
        topic = new_topic(broker)
        write(broker, topic, numbers(0, 50))
        reader = broker.reader()
        place = TopicPartition(topic, 0)

        assert values(reader.read(place, 10, 13)) == numbers(10, 13)
        assert values(reader.read(place, 0, 50)) == numbers(0, 50)
        assert values(reader.read(place, 49, 50)) == numbers(49, 50)
        assert values(reader.read(place, 7, 7)) == []
        reader.close()

    def test_reads_that_are_under_way_together_or_left_keep_apart(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=2)
        write(broker, topic, numbers(0, 30), 0)
        write(broker, topic, numbers(100, 130), 1)
        reader = broker.reader()

        for _ in reader.read(TopicPartition(topic, 0), 20, 30):
            break
        pairs = zip(
            reader.read(TopicPartition(topic, 0), 0, 30), reader.read(TopicPartition(topic, 1), 0, 30), strict=True
        )

        assert [(a.value(), b.value()) for a, b in pairs] == [*zip(numbers(0, 30), numbers(100, 130), strict=True)]
        reader.close()

    def test_topics_and_bounds_are_what_was_written(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=3)
        write(broker, topic, numbers(0, 4), 1)
        reader = broker.reader()

        assert reader.topics()[topic] == 3
        assert reader.bounds(topic) == {0: (0, 0), 1: (0, 4), 2: (0, 0)}
        assert _raised(lambda: reader.bounds(name("missing"))) is TopicMissing
        reader.close()

    def test_a_group_that_never_was_stands_nowhere(self, broker: Broker) -> None:
        topic = new_topic(broker)

        assert broker.reader().committed(name("group"), [TopicPartition(topic, 0)]) == {}


class AdminContract:
    """How topics are looked at and changed."""

    def test_a_topic_is_made_as_described(self, broker: Broker) -> None:
        admin = broker.admin()
        state = TopicState(name=name("made"), partitions=4, replication=1, config={"retention.ms": "60000"})

        admin.create(state)

        assert admin.describe()[state.name] == state
        assert _raised(lambda: admin.create(state)) is BrokerError
        assert not any(topic.startswith("__") for topic in admin.describe())

    def test_partitions_are_added_and_can_be_written_to(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=2)
        admin = broker.admin()

        admin.add_partitions(topic, 3)
        write(broker, topic, [b"v"], 2)

        assert admin.describe()[topic].partitions == 3
        assert values(read_all(broker, topic, 2)) == [b"v"]
        assert _raised(lambda: admin.add_partitions(topic, 3)) is BrokerError

    def test_configure_leaves_the_other_keys_alone(self, broker: Broker) -> None:
        topic = new_topic(broker, retention_ms="60000")
        admin = broker.admin()

        admin.configure(topic, {"segment.ms": "30000"})
        admin.configure(topic, {"segment.ms": "20000"})

        assert admin.describe()[topic].config == {"retention.ms": "60000", "segment.ms": "20000"}


class BrokerContract(ProducerContract, ReaderContract, AdminContract, GroupContract):
    """All of it."""


def _raised(act: object) -> type[BaseException] | None:
    try:
        act()  # type: ignore[operator]
    except BrokerError as error:
        return type(error)
    return None
