"""The real broker: Apache Kafka, by confluent-kafka."""

from headrace.broker.kafka_admin import KafkaAdmin
from headrace.broker.kafka_consumer import KafkaConsumer
from headrace.broker.kafka_producer import KafkaProducer, producer_config
from headrace.broker.kafka_reader import KafkaReader
from headrace.broker.port import Admin, Consumer, Failed, Producer, Reader, RebalanceListener
from headrace.broker.settings import KafkaSettings


class KafkaBroker:
    """A `Broker`: makes clients of the cluster that *settings* names, each with threads and connections of its own."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def consumer(self, group: str, listener: RebalanceListener) -> Consumer:
        return KafkaConsumer(self._settings, group, listener)

    def producer(
        self,
        *,
        memory: int,
        linger: float = 0.005,
        compression: str = "lz4",
        patience: float | None = None,
        on_failed: Failed | None = None,
        max_message_bytes: int | None = None,
    ) -> Producer:
        config = producer_config(
            memory=memory,
            linger=linger,
            compression=compression,
            patience=patience,
            max_message_bytes=max_message_bytes,
        )
        return KafkaProducer(self._settings, config, on_failed)

    def reader(self) -> Reader:
        return KafkaReader(self._settings)

    def admin(self) -> Admin:
        return KafkaAdmin(self._settings)
