"""Redrive: puts dead letters back on the first tier, and notes it, so that it happens once (design, section 3.5).

A note is written when its records are acknowledged. A crash between the two leaves the letter open, and the next
redrive sends it again: at least once, as everywhere.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from headrace.broker.port import Producer, Reader
from headrace.clock import Clock
from headrace.errors import BrokerError, BrokerUnavailable, QueueFull
from headrace.model.mark import Mark
from headrace.model.record import Header, TopicPartition
from headrace.model.tile import Redriven, RedriveNote
from headrace.retry.aims import Ways, aims
from headrace.wire import attempts, headers
from headrace.wire.letters import DeadLetter
from headrace.wire.times import to_text
from headrace.wire.topics import TopicNames

GROUP_LETTERS = 500
GROUP_BYTES = 8 << 20
"""So many letters, or bytes of them, are written before their notes are."""

PATIENCE = 60.0
"""Seconds that the brokers have to acknowledge one group."""


class Skipped(msgspec.Struct, frozen=True):
    """A letter that stays where it is, and why."""

    position: str
    why: str


class Redrive(msgspec.Struct, kw_only=True):
    """What a redrive did, or with *dry_run* would do: letters put back, records made of them, letters skipped."""

    redriven: int = 0
    records: int = 0
    dry_run: bool = False
    skipped: list[Skipped] = msgspec.field(default_factory=list)


class Redriver:
    """Redrives letters, a group at a time. *seen* hears how many letters are done."""

    def __init__(
        self,
        reader: Reader,
        producer: Producer,
        names: TopicNames,
        ways: Ways,
        clock: Clock,
        *,
        sleep: Callable[[float], None] = time.sleep,
        seen: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._reader = reader
        self._producer = producer
        self._names = names
        self._ways = ways
        self._clock = clock
        self._sleep = sleep
        self._seen = seen

    def run(self, letters: Iterable[DeadLetter], *, rate: float | None = None, dry_run: bool = False) -> Redrive:
        """Put *letters* back, at most *rate* a second. Raises `BrokerError` when Kafka does not take them.

        Letters that cannot go anywhere, and those whose records no broker takes, are skipped and named.
        """
        done = Redrive(dry_run=dry_run)
        started, letters_done = self._clock.monotonic(), 0
        for group in _groups(letters, rate):
            letters_done += len(group)
            self._redrive(group, done)
            self._seen(letters_done)
            if rate is not None and not dry_run:
                self._sleep(max(0.0, started + letters_done / rate - self._clock.monotonic()))
        return done

    def _redrive(self, group: Sequence[DeadLetter], done: Redrive) -> None:
        written: list[_Written] = []
        for letter in group:
            value = letter.value if letter.value is not None else self._value_at_origin(letter)
            cells = aims(letter, value, self._ways)
            if isinstance(cells, str):
                done.skipped.append(Skipped(letter.position, cells))
            elif done.dry_run:
                done.redriven += 1
                done.records += len(cells)
            else:
                written.append(_Written(letter, cells))
                self._put(written[-1], value)
        self._flush()
        noted = [one for one in written if not one.errors]
        for one in noted:
            self._note(one)
        self._flush()
        for one in written:
            if one.errors:
                done.skipped.append(Skipped(one.letter.position, str(one.errors[0])))
            else:
                done.redriven += 1
                done.records += len(one.cells)

    def _put(self, written: "_Written", value: bytes | None) -> None:
        letter, now = written.letter, self._clock.wall()
        assert letter.mark is not None, "a letter without a mark has no aims"
        for _, destination in written.cells:
            mark = Mark(
                destination=destination,
                origin=letter.mark.origin,
                attempts=0,
                first_failed_at=now,
                due_at=now + self._ways.tier,
                reason="redriven",
                error=letter.mark.error,
                redriven=True,
            )
            topic = self._names.retry(self._ways.tier)
            self._produce(written, topic, letter.key, value, headers.encode(mark), letter.partition)

    def _note(self, written: "_Written") -> None:
        letter = written.letter
        note = RedriveNote(
            topic=self._names.dead,
            partition=letter.partition,
            offset=letter.offset,
            org=letter.org,
            destination=letter.destination,
            at=to_text(self._clock.wall()),
            records=[
                Redriven(org=org, destination=destination, tier=str(self._ways.tier))
                for org, destination in written.cells
            ],
        )
        key = attempts.key(self._names.dead, letter.partition)
        self._produce(written, self._names.attempts, key, attempts.encode(note))

    def _produce(
        self,
        written: "_Written",
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
    ) -> None:
        deadline = self._clock.monotonic() + PATIENCE
        while True:
            try:
                self._producer.produce(
                    topic, key=key, value=value, headers=headers, partition=partition, on_ack=written.acknowledge
                )
            except QueueFull:
                if self._clock.monotonic() >= deadline:
                    raise _unanswered() from None
                self._producer.poll(0.1)
            else:
                return

    def _flush(self) -> None:
        if self._producer.flush(PATIENCE):
            raise _unanswered()

    def _value_at_origin(self, letter: DeadLetter) -> bytes | None:
        """Look for a value that was too large even for the dead topic where the event first stood."""
        origin = letter.mark.origin if letter.mark else None
        if origin is None or origin.topic != self._names.events:
            return None
        start, end = self._reader.bounds(origin.topic).get(origin.partition, (0, 0))
        if not start <= origin.offset < end:
            return None
        place = TopicPartition(origin.topic, origin.partition)
        return next((record.value() for record in self._reader.read(place, origin.offset, origin.offset + 1)), None)


class _Written:
    """A letter whose records were written, and what the brokers said against it."""

    def __init__(self, letter: DeadLetter, cells: Sequence[tuple[str, str]]) -> None:
        self.letter = letter
        self.cells = cells
        self.errors: list[BrokerError] = []

    def acknowledge(self, error: BrokerError | None) -> None:
        if error is not None:
            self.errors.append(error)


def _groups(letters: Iterable[DeadLetter], rate: float | None) -> Iterator[Sequence[DeadLetter]]:
    """Cut *letters* into groups of a second at most, where there is a rate."""
    most = GROUP_LETTERS if rate is None else max(1, min(GROUP_LETTERS, int(rate)))
    group: list[DeadLetter] = []
    size = 0
    for letter in letters:
        group.append(letter)
        size += len(letter.value or b"")
        if len(group) >= most or size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _unanswered() -> BrokerUnavailable:
    return BrokerUnavailable(
        f"Kafka did not acknowledge within {PATIENCE:g} s; letters that are not noted stay open, so redrive again"
    )
