"""What every client of confluent-kafka is given, and what its errors are called here."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException

from headrace.broker.settings import KafkaSettings
from headrace.errors import BrokerError, BrokerUnavailable, ConfigError, RecordTooLarge, TopicMissing

ANSWER_WITHIN = 5.0
"""Seconds after which nobody is taken to answer."""

SILENT_WITHIN = 60.0
"""Seconds that a member may go without a poll, or without giving up what is taken from it, until the group gives its
partitions to others (`max.poll.interval.ms`; under KIP-848 the rebalance timeout too). Nothing that a worker does
between two polls takes nearly as long, and librdkafka's five minutes would be a long time to stand still."""

_REPEAT_AFTER = 60.0

_UNAVAILABLE = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 - these are public names that begin so
        KafkaError._MSG_TIMED_OUT,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._WAIT_COORD,  # noqa: SLF001
    }
)
_MISSING = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    }
)
_GIVEN_UP = frozenset({KafkaError._PURGE_INFLIGHT, KafkaError._PURGE_QUEUE})  # noqa: SLF001
_REFUSED = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL})  # noqa: SLF001

_log = logging.getLogger(__name__)

Client = TypeVar("Client")


class Connection:
    """How one client reaches the brokers, and what it hears about that."""

    def __init__(self, settings: KafkaSettings, on_fatal: Callable[[KafkaError], None] | None = None) -> None:
        self._settings = settings
        self._on_fatal = on_fatal
        self._refusal = ""
        self._logged: dict[int, float] = {}

    @property
    def reaching(self) -> Mapping[str, str | int | float | bool]:
        """What any client is given; it holds secrets."""
        return _reaching(self._settings)

    def open(self, make: Callable[[dict[str, Any]], Client], config: Mapping[str, object]) -> Client:
        """Make a client; raise `ConfigError` when librdkafka cannot use the settings."""
        try:
            return make({**_reaching(self._settings), "error_cb": self.hear, **config})
        except KafkaException as error:
            raise ConfigError(f"[kafka] cannot be used: {_cause(error).str()}") from None

    def hear(self, error: KafkaError) -> None:
        """Keep and log what the client says of its connections, each kind at most once a minute. Never raises."""
        if error.code() in _REFUSED:
            self._refusal = error.str()
        if error.fatal() and self._on_fatal is not None:
            self._on_fatal(error)
        now = time.monotonic()
        if now - self._logged.get(error.code(), -_REPEAT_AFTER) >= _REPEAT_AFTER:
            self._logged[error.code()] = now
            _log.warning("Kafka: %s", error.str())

    def fault(self, error: KafkaError | KafkaException) -> BrokerError:
        """Say an error of the client's in our words."""
        cause = _cause(error)
        code = cause.code()
        if code in _UNAVAILABLE:
            return BrokerUnavailable(self._silence())
        if code in _MISSING:
            return TopicMissing(f"{cause.str()}; `headrace topics apply` makes the topics")
        if code == KafkaError.MSG_SIZE_TOO_LARGE:
            return RecordTooLarge(cause.str())
        if code in _GIVEN_UP:
            return BrokerError("the producer gave the record up before the brokers acknowledged it")
        return BrokerError(f"Kafka refused: {cause.str()}")

    def _silence(self) -> str:
        servers = self._settings.bootstrap_servers
        if self._refusal:
            return f"the brokers at {servers} cannot be talked to ({self._refusal}): see ssl_… and sasl_… of [kafka]"
        return f"nobody answers at {servers}: is Kafka running? `headrace kafka start` starts one for development"


def group_config(settings: KafkaSettings, group: str) -> dict[str, object]:
    """Return what a member of *group* is given beside the rest."""
    sharing: dict[str, object]
    silent_within = SILENT_WITHIN
    if settings.group_protocol == "consumer":
        # Range keeps equal partitions of topics with equal counts at one member; the default, uniform, does not.
        sharing = {"group.protocol": "consumer", "group.remote.assignor": "range"}
    else:
        milliseconds = int(settings.session_timeout * 1000)
        silent_within = max(silent_within, settings.session_timeout)
        sharing = {
            "group.protocol": "classic",
            "partition.assignment.strategy": "range",
            "session.timeout.ms": milliseconds,
            "heartbeat.interval.ms": max(1, min(3_000, milliseconds // 3)),
        }
    return {
        **sharing,
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "max.poll.interval.ms": int(silent_within * 1000),
        # A fetch under way is not widened when a partition comes, or is resumed: until it returns, that one waits.
        "fetch.wait.max.ms": 20,
        "fetch.queue.backoff.ms": 20,
        "queued.max.messages.kbytes": 32_768,
        "receive.message.max.bytes": 1 << 30,
    }


def _cause(error: KafkaError | KafkaException) -> KafkaError:
    """Return the error inside an exception; of some exceptions that is only a text."""
    if isinstance(error, KafkaError):
        return error
    inner = error.args[0] if error.args else None
    return inner if isinstance(inner, KafkaError) else KafkaError(KafkaError._FAIL, str(error))  # noqa: SLF001


def _reaching(settings: KafkaSettings) -> dict[str, str | int | float | bool]:
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "client.id": "headrace",
        **_security(settings),
        "log_level": 2,  # what matters comes to `hear`; librdkafka's own lines would land on standard error
        "socket.keepalive.enable": True,
        "socket.timeout.ms": 20_000,
        "socket.connection.setup.timeout.ms": 10_000,
        # A Kafka that comes back is found again within a second. Without this strategy, which is librdkafka's default,
        # a client whose only broker stood still for longer than a connection lasts is idle for ever afterwards. Where
        # nobody answers it starts all over at every refused connection, and calls `hear` a hundred times a second.
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1_000,
        "metadata.recovery.strategy": "rebootstrap",
        "topic.metadata.refresh.interval.ms": 30_000,
        "topic.metadata.propagation.max.ms": 3_000,
    }


def _security(settings: KafkaSettings) -> dict[str, str | int | float | bool]:
    config: dict[str, str | int | float | bool] = {"security.protocol": settings.security_protocol}
    if settings.security_protocol.endswith("ssl"):
        pems = {"ca": settings.ssl_ca, "certificate": settings.ssl_certificate, "key": settings.ssl_key}
        config |= {f"ssl.{name}.pem": pem.reveal() for name, pem in pems.items() if pem.reveal()}
        config["ssl.endpoint.identification.algorithm"] = "https" if settings.ssl_check_hostname else "none"
    if settings.security_protocol.startswith("sasl"):
        config["sasl.mechanism"] = settings.sasl_mechanism
        config["sasl.username"] = settings.sasl_username
        config["sasl.password"] = settings.sasl_password.reveal()
    return config
