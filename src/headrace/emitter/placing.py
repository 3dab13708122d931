"""Which partition an event goes to (design, section 3.1)."""

import random
from functools import lru_cache
from typing import Literal

from headrace.broker.partitioning import partition_of

Ordering = Literal["any", "session", "org"]

_partition_of = lru_cache(maxsize=16_384)(partition_of)


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
            return _partition_of(key.partition(b"/")[0], self.partitions)
        return self._current
