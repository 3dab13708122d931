"""A real Kafka keeps the promises of the port, under both group protocols."""

import pytest

from headrace.broker.kafka import KafkaBroker
from headrace.broker.port import Broker
from headrace.broker.settings import KafkaSettings
from headrace.testing.broker_contract import BrokerContract
from headrace.testing.broker_group_contract import GroupContract


class TestKafkaBroker(BrokerContract):
    @pytest.fixture
    def broker(self, kafka: str) -> Broker:
        return KafkaBroker(KafkaSettings(bootstrap_servers=kafka))


class TestClassicGroups(GroupContract):
    @pytest.fixture
    def broker(self, kafka: str) -> Broker:
        return KafkaBroker(KafkaSettings(bootstrap_servers=kafka, group_protocol="classic"))

    @pytest.mark.xfail(reason="range is an eager strategy: each rebalance takes all partitions away first")
    def test_a_topic_can_be_added_later(self, broker: Broker) -> None:
        super().test_a_topic_can_be_added_later(broker)
