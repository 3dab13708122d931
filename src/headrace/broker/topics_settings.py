"""The topics' settings: `[topics]` in the configuration (design, section 3.4)."""

import re
from typing import Annotated

import msgspec

from headrace.model.units import Duration, Size

# What Kafka allows in a topic's name, with room for the longest name that follows the prefix.
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,200}")

# Retry and dead topics take sixteen times as much, and librdkafka a gigabyte at most.
LARGER = 16
_MOST_BYTES = 1_000_000_000 // LARGER
_LEAST_BYTES = 1024


class TopicsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the topics are laid out: `headrace topics apply` makes them so."""

    prefix: Annotated[
        str,
        msgspec.Meta(description="What the name of every topic and of the consumer group begins with."),
    ] = ""
    partitions: Annotated[
        int,
        msgspec.Meta(ge=1, description="How many partitions each topic has; the most workers that can share the load."),
    ] = 12
    replication: Annotated[
        int,
        msgspec.Meta(ge=1, description="How many brokers keep a copy of each record."),
    ] = 1
    min_insync_replicas: Annotated[
        int | None,
        msgspec.Meta(
            description="How many copies must exist before a record is acknowledged; by default one less than "
            "`replication`, at least 1.",
        ),
    ] = None
    retention: Annotated[
        Duration,
        msgspec.Meta(description="How long events are kept; retries, dead letters and attempts twice as long."),
    ] = Duration.parse("7d")
    max_message_bytes: Annotated[
        Size,
        msgspec.Meta(description="The largest event; retry and dead topics take 16 times as much, for old ones."),
    ] = Size.parse("4MiB")

    def __post_init__(self) -> None:
        if _PREFIX.fullmatch(self.prefix) is None:
            raise ValueError(f"prefix {self.prefix!r} cannot begin a topic's name: use letters, digits, '.', '_', '-'")
        if not 1 <= self.in_sync <= self.replication:
            raise ValueError(
                f"min_insync_replicas {self.in_sync} must be from 1 to replication, which is {self.replication}"
            )
        if self.retention <= 0:
            raise ValueError("retention must be longer than nothing, such as '7d'")
        if not _LEAST_BYTES <= self.max_message_bytes <= _MOST_BYTES:
            raise ValueError(f"max_message_bytes {self.max_message_bytes} must be from 1KiB to 59MiB")

    @property
    def in_sync(self) -> int:
        """How many copies must exist before a record is acknowledged."""
        return max(1, self.replication - 1) if self.min_insync_replicas is None else self.min_insync_replicas
