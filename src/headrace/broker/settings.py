"""How to reach Kafka."""

from typing import Annotated

import msgspec


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach Kafka."""

    bootstrap_servers: Annotated[str, msgspec.Meta(description="Brokers to ask first, with ports, comma-separated.")] = (
        "127.0.0.1:9092"
    )
