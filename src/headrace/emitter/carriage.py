"""Moves events on: from the queue to Kafka, or to the journal when Kafka does not take them, and from there to Kafka.

Under `session` and `org` ordering everything goes behind what was journaled until the producer has all of the journal,
and behind what came back until it has that again. All moves are made by one thread, and those out of the queue under
its lock, so there is no moment at which an event overtakes another: the offsets of a session rise in the order of its
emits. What processes that are gone have left goes first; so a session that goes on in the process that claims their
journal keeps its order too. One that goes on in another process does not wait for that: processes know nothing of each
other's sessions, and a bot whose session moves while its process lives must `flush` before.
"""

import logging

from headrace.broker.port import Broker
from headrace.emitter.backlog import HEADERS, Backlog
from headrace.emitter.intake import Intake
from headrace.emitter.journal import Journal
from headrace.emitter.placing import Placing
from headrace.emitter.returns import Returned, Returns, by_id
from headrace.emitter.settings import EmitterSettings
from headrace.emitter.tally import DropReason, Stats
from headrace.errors import BrokerError, QueueFull, RecordTooLarge
from headrace.wire.journal import Frame, encode

CHUNK = 128
"""So many events are moved before other threads are let in: about 0.2 ms."""

_WINDOW = 1000
"""So many records may be under way from the journal, so that fresh events find room in the producer."""

_ASK = 1.0
_ASK_AGAIN = 60.0
_ANSWER = 0.1
_LOOK = 1.0
_CLAIM = 10.0

_log = logging.getLogger("headrace.emitter")


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
        self._look_at = 0.0
        self._claim_at = 0.0
        self._trouble = ""

    def step(self, now: float) -> int:
        """Move up to a chunk of each kind on; return how many were moved. *now* is monotonic, in seconds."""
        if now >= self._ask_at:
            self._ask(now)
        if now >= self._look_at:
            self._look(now)
        self.producer.poll(0)
        if self._returns:
            return self._mend(now)
        moved = self._move() + self._feed()
        if not moved:
            self._backlog.tidy()
        return moved

    def finish(self) -> None:
        """Journal what is still in memory, give up what Kafka has not acknowledged, and let go of everything."""
        self.producer.close(0)
        returned = self._returns.take_all()
        with self._intake.lock:
            self._put_in_order(returned)
            while self._intake.waiting:
                if refused := self._intake.spill():
                    self._intake.drop(refused, len(self._intake.waiting))
                    self._intake.waiting.clear()
            self._backlog.release()

    def stats(self, unencodable: int = 0) -> Stats:
        """Count everything at one moment."""
        intake, backlog = self._intake, self._backlog
        journaled = self._journal.held
        with intake.lock:
            # The client's own notices may be among what it counts as not acknowledged yet.
            sent = max(0, min(len(self.producer) - backlog.pending, self._produced - self._failed))
            return Stats(
                taken=intake.taken,
                acknowledged=self._produced - self._failed - sent + backlog.acknowledged,
                in_memory=len(intake.waiting) + sent + self._returns.in_memory,
                in_journal=intake.spilled - backlog.settled,
                spilled=intake.spilled,
                recovered=backlog.recovered,
                dropped=dict(intake.dropped),
                unencodable=unencodable,
                damaged=backlog.damaged,
                queued_bytes=intake.size,
                journal_bytes=journaled,
                journal_limit_bytes=self._journal.capacity,
            )

    def _ask(self, now: float) -> None:
        """Learn how many partitions there are: often until it is known, then now and again, since topics grow."""
        try:
            self._placing.partitions = self.producer.partitions(self._topic, _ANSWER)
            self._ask_at = now + _ASK_AGAIN
        except BrokerError:
            self._ask_at = now + _ASK

    def _look(self, now: float) -> None:
        """See to the journal's directory: whether this process's part is still there, and whether others are gone."""
        self._look_at = now + _LOOK
        with self._intake.lock:
            self._journal.look()
            trouble = self._journal.trouble
        if trouble and not self._trouble:
            _log.warning("the journal takes no events, which are dropped and counted when memory is full: %s", trouble)
        self._trouble = trouble
        if now >= self._claim_at:
            self._claim_at = now + _CLAIM
            self._backlog.claim()

    def _mend(self, now: float) -> int:
        """Send again what came back, oldest first; what was emitted meanwhile waits in the journal, so stays behind."""
        moved = 0
        if self._placing.ready and self._returns.due(now, len(self.producer)):
            while moved < CHUNK and (returned := self._returns.peek()):
                frame = returned.read()
                if frame is not None and not self._hand_again(returned, frame):
                    break
                self._returns.advance()
                if frame is None and returned.segment is not None:
                    self._backlog.spoil(returned.segment)
                moved += 1
        with self._intake.lock:
            return moved + self._spill()

    def _hand_again(self, returned: Returned, frame: Frame) -> bool:
        """Hand one record to the producer another time; return whether it had room."""
        if returned.segment is not None:
            return self._backlog.hand(self.producer, returned.segment, returned.start, returned.stop, frame)
        try:
            self._produce(frame.key, frame.value)
        except QueueFull:
            return False
        return True

    def _put_in_order(self, returned: list[Returned]) -> None:
        """At the end, journal what came back before all that follows it, in the order of emits. Under the lock.

        What stands in the journal already is deleted there only when it was written anew.
        """
        direct = [each.frame for each in returned if each.frame]
        own = [each.read() for each in returned if each.segment and not each.segment.claim]
        frames = sorted([*direct, *filter(None, own), *self._backlog.withdraw()], key=by_id)
        self._journal.rewind()
        refused = self._journal_all(frames)
        if refused is None:
            self._backlog.forget(len(frames) - len(direct))
        elif direct:
            self._intake.drop(refused, len(direct))
        self._journal.forward()

    def _journal_all(self, frames: list[Frame]) -> DropReason | None:
        for at in range(0, len(frames), CHUNK):
            chunk = [encode(frame.topic, frame.key, frame.value) for frame in frames[at : at + CHUNK]]
            if refused := self._intake.journal(chunk):
                return refused
        return None

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
                    self._produce(key, value)
                except QueueFull:
                    intake.put_back(key, value)
                    return moved + self._spill()
                moved += 1
        return moved

    def _produce(self, key: bytes, value: bytes) -> None:
        self.producer.produce(self._topic, key=key, value=value, headers=HEADERS, partition=self._placing.of(key))
        self._produced += 1

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
        if isinstance(error, RecordTooLarge):
            self._intake.drop("too_large")
        else:
            self._returns.keep(Returned(frame=Frame(topic.encode(), key or b"", value or b"")))
