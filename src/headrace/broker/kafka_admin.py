"""Looks at topics and changes them, on confluent-kafka."""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from headrace.broker.kafka_client import ANSWER_WITHIN, Connection
from headrace.broker.port import TopicState
from headrace.broker.settings import KafkaSettings
from headrace.errors import BrokerError, BrokerUnavailable, TopicMissing

_READY_WITHIN = 15.0
_OVERDUE = 3 * ANSWER_WITHIN
"""Seconds after which an answer that the client itself should have given up by now is not waited for any more."""

_GLANCE = 0.05


class Inquiry:
    """Asks the brokers, and raises `BrokerError` in our words when the answer is no, or none comes."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.connection = Connection(settings)
        self.client = self._connect()
        self._silent: list[AdminClient] = []
        """Clients that never answered. They are kept, since to destroy one may wait for what it waits for."""

    def _connect(self) -> AdminClient:
        return self.connection.open(AdminClient, {})

    def topics(self) -> Mapping[str, TopicMetadata]:
        """Return all topics but Kafka's own."""
        return {name: topic for name, topic in self._list().items() if not name.startswith("__")}

    def topic(self, name: str) -> TopicMetadata:
        """Return one topic; raise `TopicMissing` when it is not there."""
        topic = self._list(name).get(name)
        if topic is None or topic.error is not None or not topic.partitions:
            raise TopicMissing(f"the topic {name} does not exist: `headrace topics apply` makes it")
        return topic

    def answers(self, asked: Mapping[Any, Future[Any]]) -> dict[Any, Any]:
        """Wait for what was asked, and return the answers by what they are about."""
        try:
            return {about: future.result(_OVERDUE) for about, future in asked.items()}
        except TimeoutError:
            self._silent.append(self.client)
            self.client = self._connect()
            raise BrokerUnavailable(f"Kafka did not answer within {_OVERDUE:g} s, and is asked anew") from None
        except KafkaException as error:
            self.client.poll(0)
            raise self.connection.fault(error) from None

    def _list(self, *name: str) -> Mapping[str, TopicMetadata]:
        try:
            return self.client.list_topics(*name, timeout=ANSWER_WITHIN).topics
        except KafkaException as error:
            self.client.poll(0)  # hears why, before it is said
            raise self.connection.fault(error) from None


class KafkaAdmin:
    """An `Admin`."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._inquiry = Inquiry(settings)

    def describe(self) -> Mapping[str, TopicState]:
        topics = self._inquiry.topics()
        if not topics:
            return {}
        asked = self._inquiry.client.describe_configs(
            [ConfigResource(ResourceType.TOPIC, name) for name in topics], request_timeout=ANSWER_WITHIN
        )
        configs = {resource.name: entries for resource, entries in self._inquiry.answers(asked).items()}
        return {name: _state(name, topic, configs[name]) for name, topic in topics.items()}

    def create(self, topic: TopicState) -> None:
        new = NewTopic(topic.name, topic.partitions, topic.replication, config=dict(topic.config))
        self._inquiry.answers(self._inquiry.client.create_topics([new], request_timeout=ANSWER_WITHIN))
        self._await(topic.name, topic.partitions)

    def add_partitions(self, topic: str, partitions: int) -> None:
        new = NewPartitions(topic, partitions)
        self._inquiry.answers(self._inquiry.client.create_partitions([new], request_timeout=ANSWER_WITHIN))
        self._await(topic, partitions)

    def configure(self, topic: str, config: Mapping[str, str]) -> None:
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in config.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
        self._inquiry.answers(self._inquiry.client.incremental_alter_configs([resource], request_timeout=ANSWER_WITHIN))

    def _await(self, topic: str, partitions: int) -> None:
        """Return when every partition has a leader: before that, a record written to it would be refused."""
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline:
            try:
                found = self._inquiry.topic(topic).partitions.values()
            except TopicMissing:
                found = ()  # type: ignore[assignment]  # not known yet to the broker that was asked
            if sum(each.leader >= 0 for each in found) == partitions:
                return
            time.sleep(_GLANCE)
        raise BrokerError(f"the topic {topic} was made, but has no leaders yet: are all brokers running?")


def _state(name: str, topic: TopicMetadata, entries: Mapping[str, ConfigEntry]) -> TopicState:
    return TopicState(
        name=name,
        partitions=len(topic.partitions),
        replication=max((len(each.replicas) for each in topic.partitions.values()), default=0),
        config={
            key: entry.value or ""
            for key, entry in entries.items()
            if ConfigSource(entry.source) is ConfigSource.DYNAMIC_TOPIC_CONFIG
        },
    )
