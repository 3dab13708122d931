"""Polled records in the sequence of their offsets, without a gap that nobody has looked at twice."""

from collections.abc import Callable, Sequence

import structlog

from headrace.broker.port import Consumer
from headrace.core.offsets import Progress
from headrace.core.runs import Chunk
from headrace.errors import BrokerError
from headrace.model.record import Record, TopicPartition

LOOKS = 3
"""How often a gap is looked at once more before it is believed: polls may be lost, also the one that looks."""

log = structlog.get_logger(__name__)


class Sequencer:
    """Leaves out what was polled before, and believes a gap only when it stays: a poll may lose records."""

    def __init__(self, log_start: Callable[[TopicPartition], int]) -> None:
        self._log_start = log_start

    def following(self, progress: Progress, polled: Sequence[Record], consumer: Consumer) -> Sequence[Record]:
        """Return what of *polled* comes after all that was taken before; nothing when it has to be polled again."""
        try:
            return self._following(progress, polled, consumer)
        except BrokerError as error:
            # Where the log begins is not known now, as while its leader changes: poll the same again, and ask again.
            log.info("delivery.log_start_unknown", error=str(error))
            if polled:
                again = polled[0].offset() if progress.next is None else progress.next
                consumer.seek(progress.assignment.partition, again)
            return ()

    def _following(self, progress: Progress, polled: Sequence[Record], consumer: Consumer) -> Sequence[Record]:
        if progress.next is None:
            # Nothing was ever committed, and the first poll may lose records too.
            progress.next = self._log_start(progress.assignment.partition)
        expected = progress.next
        start = 0
        while start < len(polled) and polled[start].offset() < expected:
            start += 1
        polled = polled[start:] if start else polled
        if not polled or polled[0].offset() == expected:
            progress.gap_at = None
            return polled
        partition = progress.assignment.partition
        looks = progress.looks if progress.gap_at == expected else 0
        if looks < LOOKS and self._log_start(partition) <= expected:
            progress.gap_at, progress.looks = expected, looks + 1
            consumer.seek(partition, expected)
            return ()
        # What retention deleted unread belongs to no tile, so that the audit misses it. Offsets that a transaction's
        # markers take up were never anybody's event.
        progress.next = max(expected, min(self._log_start(partition), polled[0].offset()))
        return polled


def make_chunk(progress: Progress, records: Sequence[Record]) -> Chunk:
    """Make the chunk of *records*, which follow what was taken before, and let *progress* wait for it."""
    first = progress.next if progress.next is not None else records[0].offset()
    chunk = Chunk(progress.assignment, first, records[-1].offset() + 1, len(records))
    progress.add(chunk)
    return chunk
