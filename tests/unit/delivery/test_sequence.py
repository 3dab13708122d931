"""Polled records in the sequence of their offsets, also while nobody can say where the log begins."""

from collections.abc import Sequence

from headrace.core.offsets import Progress
from headrace.delivery.sequence import Sequencer
from headrace.errors import BrokerError
from headrace.model.record import Header, TopicPartition

PLACE = TopicPartition("events", 3)


class Polled:
    """A record, of which only its offset is asked."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def topic(self) -> str:
        return PLACE.topic

    def partition(self) -> int:
        return PLACE.partition

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return None

    def headers(self) -> Sequence[Header] | None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (0, 0)


class Seeking:
    """A consumer that is only told where to go on."""

    def __init__(self) -> None:
        self.sought: list[int] = []

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert partition == PLACE
        self.sought.append(offset)


class Log:
    """A log that begins at *start*, while its leader can say so."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.is_led = True

    def __call__(self, partition: TopicPartition) -> int:
        if not self.is_led:
            raise BrokerError("Kafka refused: Broker: Leader epoch is newer than broker epoch")
        return self.start


def following(sequence: Sequencer, progress: Progress, offsets: range, consumer: Seeking) -> list[int]:
    polled = [Polled(offset) for offset in offsets]
    return [each.offset() for each in sequence.following(progress, polled, consumer)]  # type: ignore[arg-type]


def test_a_first_poll_is_polled_again_while_the_leader_is_not_known() -> None:
    log, consumer, progress = Log(5), Seeking(), Progress(PLACE, None, None)
    sequence = Sequencer(log)
    log.is_led = False
    assert following(sequence, progress, range(5, 8), consumer) == []
    assert (progress.next, consumer.sought) == (None, [5])

    log.is_led = True
    assert following(sequence, progress, range(5, 8), consumer) == [5, 6, 7]


def test_a_gap_is_not_believed_while_the_leader_is_not_known() -> None:
    log, consumer, progress = Log(0), Seeking(), Progress(PLACE, 5, None)
    sequence = Sequencer(log)
    log.is_led = False
    for _ in range(10):
        assert following(sequence, progress, range(7, 9), consumer) == []
    assert (progress.next, consumer.sought) == (5, [5] * 10)
