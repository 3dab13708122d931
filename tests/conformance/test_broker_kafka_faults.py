"""What only a real client does: callbacks that raise, places that are not known, clients that are at their end."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import OffsetSpec

from headrace.broker import kafka_admin, kafka_client, kafka_consumer, kafka_reader
from headrace.broker.kafka import KafkaBroker
from headrace.broker.kafka_producer import KafkaProducer
from headrace.broker.kafka_reader import KafkaReader
from headrace.broker.port import Committed
from headrace.broker.settings import KafkaSettings
from headrace.errors import BrokerError, BrokerUnavailable, ConfigError
from headrace.localkafka.cluster import LocalKafka
from headrace.localkafka.ports import free_ports
from headrace.model.record import TopicPartition
from headrace.model.secret import Secret
from headrace.testing.broker_bench import Member, name, new_topic, numbers, read_all, until, values, write


@pytest.fixture
def broker(kafka: str) -> KafkaBroker:
    return KafkaBroker(KafkaSettings(bootstrap_servers=kafka))


@pytest.fixture
def nobody() -> KafkaBroker:
    """A cluster that is not there."""
    return KafkaBroker(KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_ports()}"))


def test_a_listener_that_raises_costs_no_record_and_is_heard_of(broker: KafkaBroker) -> None:
    """confluent-kafka throws the batch away when a callback raises: so none does, and the next poll raises instead."""
    topic = new_topic(broker, partitions=2)
    write(broker, topic, numbers(0, 50), 0)
    member = Member(broker, name("group"), topic)
    until(lambda: len(member.owned) == 2, member)
    member.poll_until(50)

    def fail() -> None:
        raise ValueError("a bug in the listener")

    member.leaving = fail
    member.consumer.seek(TopicPartition(topic, 0), 0)
    member.consumer.subscribe([new_topic(broker)])
    with pytest.raises(ValueError, match="a bug in the listener"):
        member.poll_for(20.0)

    polled = values(member.records[50:])
    assert polled == numbers(0, len(polled))
    member.consumer.close()


def test_a_seek_that_cannot_be_done_yet_is_done_by_a_later_poll(broker: KafkaBroker) -> None:
    """As where a partition went and came back at once, and librdkafka still stops the old fetching."""
    topic = new_topic(broker)
    place = TopicPartition(topic, 0)
    write(broker, topic, numbers(0, 50))
    member = Member(broker, name("group"), topic)
    member.poll_until(50)
    consumer: Any = member.consumer
    client = consumer._client
    client.incremental_unassign([Place(*place)])
    until(lambda: _refuses(client, Place(*place, 40)))

    member.consumer.seek(place, 40)
    client.incremental_assign([Place(*place, 0)])
    member.poll_until(60)

    assert member.values()[50:] == numbers(40, 50)
    member.consumer.close()


STILL = 48.0
"""Seconds after which every connection has been given up, and made again in vain."""


def _refuses(client: Consumer, place: Place) -> bool:
    try:
        client.seek(place)
    except KafkaException:
        return True
    return False


def test_partitions_whose_place_is_not_known_yet_wait_for_it(
    broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, group = new_topic(broker, partitions=2), name("group")
    places = {TopicPartition(topic, 0): Committed(3, "here"), TopicPartition(topic, 1): None}
    write(broker, topic, numbers(0, 6), 0)
    write(broker, topic, numbers(10, 12), 1)
    first = Member(broker, group, topic)
    until(lambda: len(first.owned) == 2, first)
    first.consumer.commit({TopicPartition(topic, 0): Committed(3, "here")}, wait=True)
    first.consumer.close()
    member = Member(broker, group, topic)
    silent = _make_committed_fail(monkeypatch, times=4)

    until(lambda: silent() == 0, member)
    assert member.told == []
    assert member.records == []
    member.poll_until(5)

    assert member.assigned == places
    assert sorted(values(member.records), key=str) == sorted(numbers(3, 6) + numbers(10, 12), key=str)
    member.consumer.close()


def test_a_producer_at_its_end_gives_back_what_it_holds_and_goes_on(broker: KafkaBroker) -> None:
    """An idempotent client that met a fatal error never writes again; a new one takes its place."""
    topic = new_topic(broker)
    producer = broker.producer(memory=1 << 20, linger=5.0)
    assert isinstance(producer, KafkaProducer)
    acknowledged: list[BrokerError | None] = []
    for _ in range(3):
        producer.produce(topic, key=None, value=b"held", on_ack=acknowledged.append)

    fatal = KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "gone", fatal=True)
    producer._connection.hear(fatal)
    deadline = time.monotonic() + 10
    while len(acknowledged) < 3 and time.monotonic() < deadline:
        producer.poll(0.1)
    producer.produce(topic, key=None, value=b"again", on_ack=acknowledged.append)

    assert producer.flush(10) == 0
    assert [error is None for error in acknowledged] == [False, False, False, True]
    assert values(read_all(broker, topic)) == [b"again"]


def test_a_kafka_that_is_gone_is_said_in_one_sentence(nobody: KafkaBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("kafka_admin", "kafka_client"):
        monkeypatch.setattr(f"headrace.broker.{module}.ANSWER_WITHIN", 0.5)
    sentence = "nobody answers at 127.0.0.1:.*`headrace kafka start`"

    with pytest.raises(BrokerUnavailable, match=sentence):
        nobody.admin().describe()
    with pytest.raises(BrokerUnavailable, match=sentence):
        nobody.reader().topics()
    with pytest.raises(BrokerUnavailable, match=sentence):
        nobody.producer(memory=1 << 20).partitions("t", 0.5)


def test_close_gives_up_what_nobody_takes(nobody: KafkaBroker) -> None:
    failed: list[tuple[bytes | None, type[BrokerError]]] = []
    acknowledged: list[BrokerError | None] = []
    producer = nobody.producer(
        memory=1 << 20, on_failed=lambda _topic, _key, value, why: failed.append((value, type(why)))
    )
    for value in numbers(0, 5):
        producer.produce("t", key=b"k", value=value)
    producer.produce("t", key=b"k", value=b"told", on_ack=acknowledged.append)

    started = time.monotonic()
    given_up = producer.close(0.2)

    assert given_up == 6
    assert time.monotonic() - started < 3
    assert failed == [(value, BrokerError) for value in numbers(0, 5)]
    assert [type(each) for each in acknowledged] == [BrokerError]


def test_a_record_fails_when_its_patience_is_over(nobody: KafkaBroker) -> None:
    acknowledged: list[BrokerError | None] = []
    producer = nobody.producer(memory=1 << 20, patience=0.3)
    producer.produce("t", key=b"k", value=b"v", on_ack=acknowledged.append)

    assert producer.flush(10) == 0

    assert [type(each) for each in acknowledged] == [BrokerUnavailable]
    producer.close(0)


def test_a_kafka_that_comes_back_is_found_again_at_once(
    new_kafka: Callable[..., LocalKafka], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, nothing raises, and a commit that is waited for does not block for long while it is gone."""
    monkeypatch.setattr(kafka_consumer, "ANSWER_WITHIN", 1.0)
    cluster = new_kafka()
    broker = KafkaBroker(KafkaSettings(bootstrap_servers=cluster.bootstrap_servers))
    topic = new_topic(broker)
    producer = broker.producer(memory=1 << 20)
    member = Member(broker, name("group"), topic)
    until(lambda: len(member.owned) == 1, member)
    write(broker, topic, numbers(0, 10))
    member.poll_until(10)

    cluster.kill_broker(0)
    for value in numbers(10, 110):
        producer.produce(topic, key=None, value=value, partition=0)
    member.poll_for(1.0)
    started = time.monotonic()
    with pytest.raises(BrokerUnavailable):
        member.consumer.commit({TopicPartition(topic, 0): Committed(10)}, wait=True)
    assert time.monotonic() - started < 5
    cluster.start_broker(0)
    back = time.monotonic()

    assert producer.flush(20) == 0
    member.poll_until(110)
    assert time.monotonic() - back < 10
    assert member.values() == numbers(0, 110)
    member.consumer.commit({TopicPartition(topic, 0): Committed(110)}, wait=True)
    member.consumer.close()


def test_settings_that_cannot_be_used_are_a_mistake_in_the_configuration() -> None:
    settings = KafkaSettings(security_protocol="sasl_ssl", sasl_username="u", ssl_ca=Secret("no certificate"))

    with pytest.raises(ConfigError, match=r"\[kafka\] cannot be used"):
        KafkaBroker(settings).admin()


def test_a_read_of_what_never_comes_is_given_up(broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_reader, "_PATIENCE", 0.3)
    topic = new_topic(broker)
    write(broker, topic, numbers(0, 3))
    reads = iter(broker.reader().read(TopicPartition(topic, 0), 1, 9))

    assert [next(reads).value(), next(reads).value()] == numbers(1, 3)
    with pytest.raises(BrokerError, match="from offset 3"):
        next(reads)


def _make_committed_fail(monkeypatch: pytest.MonkeyPatch, times: int) -> Callable[[], int]:
    """Let the next looks for places fail as without a coordinator; return what says how many are still to fail."""
    left = times
    committed = kafka_consumer._committed

    def fail_first(*arguments: Any) -> Any:
        nonlocal left
        if left > 0:
            left -= 1
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return committed(*arguments)

    monkeypatch.setattr(kafka_consumer, "_committed", fail_first)
    return lambda: left


@pytest.mark.slow
def test_clients_go_on_after_their_only_broker_stood_still_for_longer_than_a_connection_lasts(tmp_path: Path) -> None:
    """Whoever asks while the broker is fenced hears of no broker at all, and has to begin anew where it once began.

    Without `metadata.recovery.strategy` a client was idle for ever afterwards, though not in every run.
    """
    kafka = LocalKafka(tmp_path / "kafka", port=free_ports())
    kafka.start()
    try:
        broker = KafkaBroker(KafkaSettings(bootstrap_servers=kafka.bootstrap_servers))
        topic = new_topic(broker, partitions=12)
        producers = [broker.producer(memory=64 << 20) for _ in range(4)]
        member = Member(broker, name("group"), topic)
        produced = [0]
        acknowledged: list[BrokerError | None] = []

        def produce() -> None:
            for number, producer in enumerate(producers):
                partition = (produced[0] + number) % 12
                producer.produce(topic, key=None, value=b"1", partition=partition, on_ack=acknowledged.append)
                producer.poll(0.005)
            produced[0] += 1
            member.poll(0.005)

        for _ in range(10):
            produce()
        pid = kafka.status().brokers[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            end = time.monotonic() + STILL
            while time.monotonic() < end:
                produce()
        finally:
            os.kill(pid, signal.SIGCONT)

        for producer in producers:
            assert producer.flush(60) == 0
        member.poll_until(len(acknowledged))
        for producer in producers:
            producer.close(1)
        member.consumer.close()
    finally:
        kafka.stop()


def test_partitions_of_a_member_that_does_not_poll_go_to_others_and_it_comes_back(
    broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker whose owner thread hangs, while its client goes on to tell the group that it lives."""
    monkeypatch.setattr(kafka_client, "SILENT_WITHIN", 6.0)
    topic, group = new_topic(broker, partitions=2), name("group")
    hung = Member(broker, group, topic)
    until(lambda: len(hung.owned) == 2, hung)

    other = Member(broker, group, topic)
    until(lambda: len(other.owned) == 2, other)
    until(lambda: len(hung.owned) == len(other.owned) == 1, hung, other)

    hung.consumer.close()
    other.consumer.close()


def test_an_answer_that_never_comes_is_not_waited_for_for_ever(
    broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner thread asks where a log begins, and nothing goes on meanwhile."""
    topic = new_topic(broker)
    reader = broker.reader()
    assert isinstance(reader, KafkaReader)
    silent = reader._inquiry.client
    monkeypatch.setattr(kafka_admin, "_OVERDUE", 0.2)
    monkeypatch.setattr(reader._inquiry, "client", Mute())

    with pytest.raises(BrokerUnavailable, match="is asked anew"):
        reader._offsets([Place(topic, 0)], OffsetSpec.earliest())  # type: ignore[no-untyped-call]
    monkeypatch.setattr(kafka_admin, "_OVERDUE", 10.0)
    assert reader.bounds(topic) == {0: (0, 0)}
    assert reader._inquiry.client is not silent
    reader.close()


class Mute:
    """A client that takes questions and never answers."""

    def list_offsets(self, asked: dict[Place, OffsetSpec], **_: object) -> dict[Place, Future[object]]:
        return {place: Future() for place in asked}
