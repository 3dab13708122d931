"""What every broker keeps to. A test class subclasses `BrokerContract` and gives it a fixture `broker`."""

from headrace.broker.port import Broker
from headrace.errors import BrokerError, TopicMissing
from headrace.model.record import TopicPartition
from headrace.model.topic import TopicState
from headrace.testing.broker_bench import name, new_topic, numbers, raised, read_all, values, write
from headrace.testing.broker_group_contract import GroupContract
from headrace.testing.broker_producer_contract import ProducerContract


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
        assert raised(lambda: reader.bounds(name("missing"))) is TopicMissing
        reader.close()

    def test_a_moment_is_found_by_when_records_were_written(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=2)
        write(broker, topic, numbers(0, 3), 0)
        reader = broker.reader()
        _, first = next(iter(reader.read(TopicPartition(topic, 0), 0, 1))).timestamp()

        assert reader.offsets_at(topic, 0.0) == {0: 0, 1: 0}
        assert reader.offsets_at(topic, first / 1000) == {0: 0, 1: 0}
        assert reader.offsets_at(topic, first / 1000 + 3600) == {0: 3, 1: 0}
        assert raised(lambda: reader.offsets_at(name("missing"), 0.0)) is TopicMissing
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
        assert raised(lambda: admin.create(state)) is BrokerError
        assert not any(topic.startswith("__") for topic in admin.describe())

    def test_partitions_are_added_and_can_be_written_to(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=2)
        admin = broker.admin()

        admin.add_partitions(topic, 3)
        write(broker, topic, [b"v"], 2)

        assert admin.describe()[topic].partitions == 3
        assert values(read_all(broker, topic, 2)) == [b"v"]
        assert raised(lambda: admin.add_partitions(topic, 3)) is BrokerError

    def test_configure_leaves_the_other_keys_alone(self, broker: Broker) -> None:
        topic = new_topic(broker, retention_ms="60000")
        admin = broker.admin()

        admin.configure(topic, {"segment.ms": "30000"})
        admin.configure(topic, {"segment.ms": "20000"})

        assert admin.describe()[topic].config == {"retention.ms": "60000", "segment.ms": "20000"}


class BrokerContract(ProducerContract, ReaderContract, AdminContract, GroupContract):
    """All of it."""
