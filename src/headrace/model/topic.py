"""A topic as a cluster has it."""

from collections.abc import Mapping

import msgspec


class TopicState(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as the cluster has it. *config* holds only what was set explicitly on the topic."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str] = {}
