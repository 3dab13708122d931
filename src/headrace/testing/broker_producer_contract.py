"""How what is written arrives, and how it is acknowledged."""

import time

from headrace.broker.partitioning import partition_of
from headrace.broker.port import Broker
from headrace.errors import BrokerError, QueueFull, RecordTooLarge, TopicMissing
from headrace.testing.broker_bench import PATIENCE, name, new_topic, numbers, raised, read_all, values, write

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
        for _ in range(taken):
            producer.produce(topic, key=None, value=b"x" * 700, partition=0)
        assert producer.flush(PATIENCE) == 0
        assert len(read_all(broker, topic)) == 2 * taken

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
        assert raised(lambda: producer.partitions(name("missing"), PATIENCE)) is TopicMissing
