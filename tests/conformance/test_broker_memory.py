"""The memory broker keeps the promises of the real one."""

import pytest

from headrace.broker.memory import MemoryBroker
from headrace.broker.port import Broker
from headrace.testing.broker_contract import BrokerContract


class TestMemoryBroker(BrokerContract):
    @pytest.fixture
    def broker(self) -> Broker:
        return MemoryBroker()
