"""What the client is given, and what becomes of its errors."""

import logging

import pytest
from confluent_kafka import KafkaError, KafkaException

from headrace.broker.kafka_client import Connection
from headrace.broker.kafka_producer import RECORD_OVERHEAD, producer_config
from headrace.broker.settings import KafkaSettings
from headrace.errors import BrokerError, BrokerUnavailable, RecordTooLarge, TopicMissing
from headrace.model.secret import Secret

CODES = [
    value
    for name in dir(KafkaError)
    if name.lstrip("_").isupper()
    if isinstance(value := getattr(KafkaError, name), int)
]


def opened(settings: KafkaSettings) -> dict[str, object]:
    """Return the configuration with which a client is made."""
    return Connection(settings).open(dict, {})


@pytest.mark.parametrize("code", CODES)
def test_every_error_of_the_client_is_one_of_ours(code: int) -> None:
    fault = Connection(KafkaSettings()).fault(KafkaException(KafkaError(code, "why")))

    assert isinstance(fault, BrokerError)
    assert str(fault)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError.MSG_SIZE_TOO_LARGE, RecordTooLarge),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, TopicMissing),
        (KafkaError._UNKNOWN_TOPIC, TopicMissing),
        (KafkaError._UNKNOWN_PARTITION, TopicMissing),
        (KafkaError._TRANSPORT, BrokerUnavailable),
        (KafkaError._MSG_TIMED_OUT, BrokerUnavailable),
        (KafkaError._PURGE_QUEUE, BrokerError),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, BrokerError),
    ],
)
def test_an_error_is_called_by_what_to_do_about_it(code: int, kind: type[BrokerError]) -> None:
    assert type(Connection(KafkaSettings()).fault(KafkaError(code))) is kind


def test_an_exception_that_holds_only_text_is_told_as_it_is() -> None:
    assert "strange" in str(Connection(KafkaSettings()).fault(KafkaException("strange")))


def test_a_refused_handshake_is_named_instead_of_silence() -> None:
    connection = Connection(KafkaSettings(bootstrap_servers="k:1"))

    connection.hear(KafkaError(KafkaError._SSL, "certificate verify failed"))

    fault = connection.fault(KafkaError(KafkaError._TRANSPORT))
    assert "brokers at k:1 cannot be talked to (certificate verify failed)" in str(fault)


def test_what_a_client_hears_again_and_again_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    connection = Connection(KafkaSettings())

    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            connection.hear(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))

    assert [record.getMessage() for record in caplog.records] == ["Kafka: 1/1 brokers are down"]


def test_only_fatal_errors_end_a_client() -> None:
    ended: list[KafkaError] = []
    connection = Connection(KafkaSettings(), ended.append)

    connection.hear(KafkaError(KafkaError._TRANSPORT, "gone"))
    connection.hear(KafkaError(KafkaError._FATAL, "the end", fatal=True))

    assert [error.str() for error in ended] == ["the end"]


def test_certificates_are_given_as_text_and_checked() -> None:
    settings = KafkaSettings(security_protocol="ssl", ssl_ca=Secret("CA"), ssl_key=Secret("KEY"))

    config = opened(settings)

    assert (config["security.protocol"], config["ssl.ca.pem"], config["ssl.key.pem"]) == ("ssl", "CA", "KEY")
    assert "ssl.certificate.pem" not in config
    assert config["ssl.endpoint.identification.algorithm"] == "https"
    assert "enable.ssl.certificate.verification" not in config


def test_only_the_hosts_name_goes_unchecked_when_asked() -> None:
    config = opened(KafkaSettings(security_protocol="ssl", ssl_check_hostname=False))

    assert config["ssl.endpoint.identification.algorithm"] == "none"
    assert "enable.ssl.certificate.verification" not in config


def test_a_password_is_given_only_where_it_is_asked_for() -> None:
    plain = KafkaSettings(sasl_username="u", sasl_password=Secret("p"))
    asked = KafkaSettings(security_protocol="sasl_ssl", sasl_username="u", sasl_password=Secret("p"))

    assert not any(key.startswith("sasl") for key in opened(plain))
    assert [opened(asked)[f"sasl.{key}"] for key in ("mechanism", "username", "password")] == [
        "SCRAM-SHA-512",
        "u",
        "p",
    ]


def test_settings_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="sasl_username"):
        KafkaSettings(security_protocol="sasl_ssl")
    with pytest.raises(ValueError, match="bootstrap_servers"):
        KafkaSettings(bootstrap_servers=" ")


@pytest.mark.parametrize("memory", [1 << 20, 32 << 20, 256 << 20])
def test_a_producers_queue_stays_within_its_memory(memory: int) -> None:
    """librdkafka counts keys and values only; what it needs beside them is bounded by the number of records."""
    config = configured(memory=memory)

    payload, records = int(str(config["queue.buffering.max.kbytes"])), int(str(config["queue.buffering.max.messages"]))
    assert payload * 1024 + records * RECORD_OVERHEAD <= memory


def test_the_largest_record_has_room_whatever_the_memory() -> None:
    config = configured(memory=1 << 20, max_message_bytes=64 << 20)

    assert config["queue.buffering.max.kbytes"] == 64 << 10
    assert config["message.max.bytes"] == 64 << 20


def test_batches_stay_below_a_small_topics_limit() -> None:
    assert configured(memory=1 << 20, max_message_bytes=4096)["batch.size"] == 4096


def test_a_record_is_tried_for_ever_unless_patience_is_given() -> None:
    assert configured(memory=1 << 20)["message.timeout.ms"] == 0
    assert configured(memory=1 << 20, patience=2.5)["message.timeout.ms"] == 2500


def configured(
    *, memory: int, patience: float | None = None, max_message_bytes: int | None = None
) -> dict[str, object]:
    return producer_config(
        memory=memory, linger=0.005, compression="lz4", patience=patience, max_message_bytes=max_message_bytes
    )
