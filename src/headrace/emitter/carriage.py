"""Moves events on: from the queue to Kafka, or to the journal when Kafka does not take them, and from there to Kafka.

Under `session` and `org` ordering everything goes behind what was journaled until the journal is drained. All moves are
made by one thread under one lock, so there is no moment at which an event overtakes another.
"""

from headrace.broker.port import Broker
from headrace.emitter.backlog import HEADERS, Backlog
from headrace.emitter.intake import Intake
from headrace.emitter.journal import Journal
from headrace.emitter.placing import Placing
from headrace.emitter.returns import Returns, by_emit
from headrace.emitter.settings import EmitterSettings
from headrace.emitter.tally import Stats
from headrace.errors import BrokerError, QueueFull
from headrace.wire.journal import Frame, encode

CHUNK = 128
"""So many events are moved before other threads are let in: about 0.2 ms."""

_WINDOW = 1000
"""So many records may be under way from the journal, so that fresh events find room in the producer."""

_ASK = 1.0
_ASK_AGAIN = 60.0
_ANSWER = 0.1
_CLAIM = 10.0


class Carriage:
    """Carries the events of *intake* and of *backlog* to *topic*. Every method is called by the courier alone."""

    def __init__(
        self,
        *,
        topic: str,
        most: int,
        broker: Broker,
        settings: EmitterSettings,
        intake: Intake,
        journal: Journal,
        backlog: Backlog,
        returns: Returns,
        placing: Placing,
    ) -> None:
        self.producer = broker.producer(
            memory=settings.memory // 2,
            linger=settings.linger / 2,
            compression=settings.compression,
            on_failed=self._on_failed,
            max_message_bytes=most,
        )
        self._topic = topic
        self._intake = intake
        self._backlog = backlog
        self._returns = returns
        self._placing = placing
        self._produced = 0
        self._failed = 0
        self._journal = journal
        self._ask_at = 0.0
        self._claim_at = 0.0

    def step(self, now: float) -> int:
        """Move up to a chunk of each kind on; return how many were moved. *now* is monotonic, in seconds."""
        if now >= self._ask_at:
            self._ask(now)
        if now >= self._claim_at:
            self._claim_at = now + _CLAIM
            self._backlog.claim()
        self.producer.poll(0)
        return self._move() + self._feed()

    def finish(self) -> None:
        """Journal what is still in memory, give up what Kafka has not acknowledged, and let go of everything."""
        returned = self._returns.gather()
        self.producer.close(0)
        returned.sort(key=by_emit)
        with self._intake.lock:
            self._journal.rewind()
            for at in range(0, len(returned), CHUNK):
                frames = [encode(frame.topic, frame.key, frame.value) for frame in returned[at : at + CHUNK]]
                if refused := self._intake.journal(frames):
                    self._intake.drop(refused, len(frames))
            self._backlog.rewrite_rest(self._intake.journal)
            self._journal.forward()
            while self._intake.waiting:
                if refused := self._intake.spill():
                    self._intake.drop(refused, len(self._intake.waiting))
                    self._intake.waiting.clear()
            self._backlog.release()

    def stats(self, unencodable: int = 0) -> Stats:
        """Count everything at one moment."""
        intake, backlog = self._intake, self._backlog
        with intake.lock:
            # The client's own notices may be among what it counts as not acknowledged yet.
            sent = max(0, min(len(self.producer) - backlog.pending, self._produced - self._failed))
            return Stats(
                taken=intake.taken,
                acknowledged=self._produced - self._failed - sent + backlog.acknowledged,
                in_memory=len(intake.waiting) + sent,
                in_journal=intake.spilled - backlog.settled if backlog.busy else 0,
                spilled=intake.spilled,
                recovered=backlog.recovered,
                dropped=dict(intake.dropped),
                unencodable=unencodable,
                damaged=backlog.damaged,
            )

    def _ask(self, now: float) -> None:
        """Learn how many partitions there are: often until it is known, then now and again, since topics grow."""
        try:
            self._placing.partitions = self.producer.partitions(self._topic, _ANSWER)
            self._ask_at = now + _ASK_AGAIN
        except BrokerError:
            self._ask_at = now + _ASK

    def _move(self) -> int:
        """Move the queue on."""
        intake = self._intake
        with intake.lock:
            if not self._placing.ready or (self._placing.ordered and self._backlog.unread):
                return self._spill()
            self._placing.turn()
            moved = 0
            while moved < CHUNK and intake.waiting:
                key, value = intake.pop()
                try:
                    self.producer.produce(
                        self._topic, key=key, value=value, headers=HEADERS, partition=self._placing.of(key)
                    )
                except QueueFull:
                    intake.put_back(key, value)
                    return moved + self._spill()
                self._produced += 1
                moved += 1
        return moved

    def _spill(self) -> int:
        """Journal a part of the queue; return how many events that were. Under the lock."""
        waiting = len(self._intake.waiting)
        self._intake.spill()
        return max(0, waiting - len(self._intake.waiting))

    def _feed(self) -> int:
        """Move the journal on."""
        if not self._placing.ready or self._backlog.pending >= _WINDOW or not self._backlog.unread:
            return 0
        return self._backlog.feed(self.producer, CHUNK)

    def _on_failed(self, topic: str, key: bytes | None, value: bytes | None, error: BrokerError) -> None:
        """Keep a record of the queue that Kafka did not take. Called by the producer, within `poll` and `close`."""
        self._failed += 1
        self._returns.keep(Frame(topic.encode(), key or b"", value or b""), error)
