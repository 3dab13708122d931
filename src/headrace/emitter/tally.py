"""What the emitter counts, and what it tells of it."""

from collections.abc import Mapping
from typing import Literal

import msgspec

DropReason = Literal["journal_full", "journal_failed", "journal_lost", "too_large", "closed"]
"""Why an event was not taken, or had to be given up: a closed list.

`journal_full`: memory and `journal_bytes` are used up. `journal_failed`: memory is used up and the disk refuses.
`journal_lost`: somebody damaged or removed what this process had journaled. `too_large`: Kafka will never take it, see
`topics.max_message_bytes`. `closed`: emitted after `close`.
"""


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """One look at an emitter since this process began to use it. All numbers count events, unless they are bytes.

    What was *taken* is *acknowledged*, *in_memory* or *in_journal*. *spilled* counts those that went by way of the
    journal; *recovered* those of processes that are gone which this one brought to Kafka; *damaged* the stretches of
    journal that could not be read and were set aside. *queued_bytes* wait to be moved on; *journal_bytes* are what all
    processes of the host have in the journal's directory, of *journal_limit_bytes*.
    """

    taken: int = 0
    acknowledged: int = 0
    in_memory: int = 0
    in_journal: int = 0
    spilled: int = 0
    recovered: int = 0
    dropped: Mapping[DropReason, int] = {}
    unencodable: int = 0
    damaged: int = 0
    queued_bytes: int = 0
    journal_bytes: int = 0
    journal_limit_bytes: int = 0

    @property
    def unacknowledged(self) -> int:
        """How many taken events Kafka does not have yet."""
        return self.in_memory + self.in_journal
