"""Which partition an event goes to (design, section 3.1)."""

import random
from functools import lru_cache
from typing import Literal

Ordering = Literal["any", "session", "org"]

_M = 0x5BD1E995
_SEED = 0x9747B28C
_32 = 0xFFFFFFFF


class Placing:
    """Picks partitions under one *ordering*; *partitions* is how many the topic has, None while nobody knows.

    `any`: random, but the same for events that travel together, so that batches stay large. `session`: left to the
    producer, which takes the key. `org`: by the org, so it must wait until the number of partitions is known.
    """

    def __init__(self, ordering: Ordering) -> None:
        self.ordering: Ordering = ordering
        self.partitions: int | None = None
        self._current: int | None = None

    @property
    def ordered(self) -> bool:
        return self.ordering != "any"

    @property
    def ready(self) -> bool:
        """Whether `of` can answer."""
        return self.ordering != "org" or self.partitions is not None

    def turn(self) -> None:
        """Begin another batch: under `any` ordering at another partition."""
        if self.ordering == "any" and self.partitions is not None:
            self._current = random.randrange(self.partitions)  # noqa: S311  load is spread, nothing is hidden

    def of(self, key: bytes) -> int | None:
        """Return the partition of *key*; None leaves it to the producer."""
        if self.ordering == "org" and self.partitions is not None:
            return _positive_hash(key.partition(b"/")[0]) % self.partitions
        return self._current


@lru_cache(maxsize=16_384)
def _positive_hash(key: bytes) -> int:
    return murmur2(key) & 0x7FFFFFFF


def murmur2(data: bytes) -> int:
    """Return the unsigned 32-bit hash of Kafka's default partitioner (`org.apache.kafka.common.utils.Utils`)."""
    length = len(data)
    h = _SEED ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * _M & _32
        k = (k ^ k >> 24) * _M & _32
        h = (h * _M & _32) ^ k
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _32
    h = (h ^ h >> 13) * _M & _32
    return h ^ h >> 15
