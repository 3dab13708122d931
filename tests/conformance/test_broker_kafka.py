"""A real Kafka keeps the promises of the port, under both group protocols."""

import pytest

from headrace.broker.kafka import KafkaBroker
from headrace.broker.port import Broker
from headrace.broker.settings import KafkaSettings
from headrace.testing.broker_contract import BrokerContract


class TestKafkaBroker(BrokerContract):
    @pytest.fixture
    def broker(self, kafka: str) -> Broker:
        return KafkaBroker(KafkaSettings(bootstrap_servers=kafka))
