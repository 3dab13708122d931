"""How Kafka is reached: `[kafka]` in the configuration (design, section 3.4)."""

from typing import Annotated, Literal

import msgspec

from headrace.model.secret import Secret
from headrace.model.units import Duration

NOTHING = Secret("")


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the brokers are, how they and we prove who we are, and how workers share the partitions."""

    bootstrap_servers: Annotated[
        str, msgspec.Meta(description="The brokers to ask first, as host:port, separated by commas.")
    ] = "127.0.0.1:9092"
    security_protocol: Annotated[
        Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
        msgspec.Meta(description="Whether the connection is encrypted (ssl), and whether a password is given (sasl)."),
    ] = "plaintext"
    ssl_ca: Annotated[
        Secret,
        msgspec.Meta(
            description="The PEM of the authorities that the brokers' certificates must come from; "
            "empty: those of the system."
        ),
    ] = NOTHING
    ssl_certificate: Annotated[
        Secret, msgspec.Meta(description="The PEM of the certificate that we show; empty: none.")
    ] = NOTHING
    ssl_key: Annotated[Secret, msgspec.Meta(description="The PEM of that certificate's private key.")] = NOTHING
    ssl_check_hostname: Annotated[
        bool, msgspec.Meta(description="Whether a broker's certificate must name its host, beside coming from ssl_ca.")
    ] = True
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"],
        msgspec.Meta(description="How the password is given."),
    ] = "SCRAM-SHA-512"
    sasl_username: Annotated[str, msgspec.Meta(description="The user, where security_protocol begins with sasl.")] = ""
    sasl_password: Annotated[Secret, msgspec.Meta(description="The user's password.")] = NOTHING
    group_protocol: Annotated[
        Literal["consumer", "classic"],
        msgspec.Meta(description="How workers share partitions: consumer (KIP-848, Kafka 4.0 and later) or classic."),
    ] = "consumer"
    session_timeout: Annotated[
        Duration,
        msgspec.Meta(
            description="After how long a worker that is not heard of loses its partitions under classic; "
            "under consumer the brokers' group.consumer.session.timeout.ms says it."
        ),
    ] = Duration(45)

    def __post_init__(self) -> None:
        if not self.bootstrap_servers.strip():
            raise ValueError("bootstrap_servers is empty; write host:port of at least one broker")
        if self.security_protocol.startswith("sasl") and not self.sasl_username:
            raise ValueError(
                f"security_protocol is {self.security_protocol}, so sasl_username and sasl_password are needed"
            )
        if self.session_timeout < 1:
            raise ValueError("session_timeout must be a second or more, such as '45s'")
