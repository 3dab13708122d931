"""The owner thread of one worker: the only one that touches the consumer, the producer and the offsets.

One turn of its loop: settle what the event loop reports, book and commit, wake tiers, poll, and hand the runs over.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

import structlog

from headrace.broker.port import Committed, Consumer
from headrace.clock import Clock
from headrace.core.offsets import Progress
from headrace.core.runs import Chunk, Run
from headrace.delivery.books import Books
from headrace.delivery.dispatcher import Dispatcher
from headrace.delivery.intake import Intake, Taken
from headrace.delivery.mailer import Mailer
from headrace.delivery.outbox import Later, Outbox
from headrace.delivery.pulse import Pulse
from headrace.delivery.sequence import Sequencer, make_chunk
from headrace.delivery.settler import Settler
from headrace.delivery.tiers import Due, Marked, Tiers
from headrace.errors import BrokerError, HeadraceError, TopicMissing
from headrace.model.record import Record, TopicPartition
from headrace.telemetry.metrics import Counter, Metrics

POLL_RECORDS = 5000
POLL_TIMEOUT = 0.02
"""Seconds a poll waits for that many: the consumer waits all of it when fewer come."""

HOLD_QUIETLY = 1.0
"""Seconds for which the poll is just left out; a longer hold pauses, so that the group hears of us all the same."""

REVOKE_WAIT = 3.0
"""Seconds that posts under way may finish when their partition goes."""

TOPICS_EVERY = 15.0
"""Seconds between looks for retry topics that came."""

BELIEVED_AFTER = 5.0
"""Seconds for which a topic has to be missing until the worker ends: brokers may not know yet what was just made."""

LOOK_AGAIN = 0.5
"""Seconds until a topic that is missing is looked for once more."""

TELL_EVERY = 30.0
"""Seconds between two lines of progress in the log."""

log = structlog.get_logger(__name__)


class Owner:
    """Runs until told to stop. Also the consumer's rebalance listener."""

    def __init__(
        self,
        *,
        connect: Callable[["Owner"], Consumer],
        topics: Callable[[], Sequence[str]],
        main_topic: str,
        intake: Intake,
        settler: Settler,
        mailer: Mailer,
        books: Books,
        dispatcher: Dispatcher,
        outbox: Outbox,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        metrics: Metrics,
        sequence: Sequencer,
        tiers: Tiers,
        memory: int,
        drain: float,
    ) -> None:
        self._topics = topics
        self._main_topic = main_topic
        self._intake = intake
        self._settler = settler
        self._mailer = mailer
        self._books = books
        self._dispatcher = dispatcher
        self._outbox = outbox
        self._loop = loop
        self._clock = clock
        self._metrics = metrics
        self._sequence = sequence
        self._memory = memory
        self._drain = drain
        self._consumer = connect(self)
        self._progress: dict[TopicPartition, Progress] = {}
        self._tiers = tiers
        self._subscribed: Sequence[str] = ()
        self._looked_at = float("-inf")
        self._missing_since: float | None = None
        self._held_since: float | None = None
        self._is_paused = False
        self._stopping = threading.Event()
        self._ends_at = float("inf")
        self._told_at = clock.monotonic()
        self._told: Mapping[Counter, int] = {}
        self.pulse = Pulse(clock.monotonic())
        self.fault: BaseException | None = None

    def stop(self) -> None:
        """Ask for the drain; may be called from any thread, more than once."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped, then drain. What ends it otherwise is kept in `fault`."""
        try:
            while not self._stopping.is_set() and self._dispatcher.fault is None:
                self.turn()
            self.finish()
        except BaseException as fault:  # noqa: BLE001  # the thread's end is reported by the worker, whatever it was
            self.fault = fault
            with suppress(HeadraceError):
                self._consumer.close()
        self.fault = self.fault or self._dispatcher.fault

    def on_assign(self, assigned: Mapping[TopicPartition, Committed | None]) -> None:
        mates = [each for each in self._tiers.going(list(assigned)) if each not in assigned]
        if mates:
            self._wind_down(mates)
            self._begin_anew(mates, gone=())
        for partition, place in assigned.items():
            following = place.offset if place else None
            self._progress[partition] = Progress(partition, following, (place.metadata or None) if place else None)
        if self._is_paused:
            self._consumer.pause(assigned)
        self._tiers.assigned([self._progress[partition] for partition in assigned], self._consumer)
        log.info("delivery.assigned", partitions=len(assigned))

    def on_revoke(self, revoked: Sequence[TopicPartition]) -> None:
        self._wind_down(self._tiers.going(revoked))
        self.on_lost(revoked)

    def on_lost(self, lost: Sequence[TopicPartition]) -> None:
        self._begin_anew(lost, gone=lost)
        log.info("delivery.revoked", partitions=len(lost))

    def _wind_down(self, partitions: Iterable[TopicPartition]) -> None:
        """Post nothing more of these, give what is under way a moment, and commit how far they came."""
        going = {partition: self._progress[partition] for partition in partitions if partition in self._progress}
        for progress in going.values():
            progress.assignment.is_leaving = True
        deadline = min(self._clock.monotonic() + REVOKE_WAIT, self._ends_at)
        while self._clock.monotonic() < deadline and self._is_under_way(going.values()):
            self._settle(0.01)
        self._settle(0.0)
        try:
            self._books.commit(going, self._consumer, wait=True)
        except BrokerError as error:
            log.warning("delivery.commit_failed", error=str(error))

    def _begin_anew(self, partitions: Sequence[TopicPartition], gone: Sequence[TopicPartition]) -> None:
        """Let nothing of these settle any more. What is affected, but not *gone*, goes on behind what is booked."""
        kept: list[Progress] = []
        for partition in self._tiers.going(partitions):
            progress = self._progress.pop(partition, None)
            if progress is not None:
                progress.assignment.is_leaving = progress.assignment.is_revoked = True
                if partition not in gone:
                    kept.append(progress.anew())
        self._tiers.gone(partitions)
        self._progress |= {progress.assignment.partition: progress for progress in kept}
        if kept:
            self._tiers.assigned(kept, self._consumer)

    def turn(self) -> None:
        """Settle, commit, poll and hand over, once."""
        self.pulse.turned_at = self._clock.monotonic()
        self._tiers.confirm(self._consumer)
        if broken := self._tiers.broken():
            self._wind_down(self._tiers.going(broken))
            self._begin_anew(broken, gone=())
        self._settle(0.0)
        self._books.commit(self._progress, self._consumer)
        self._subscribe()
        self._tell()
        if self._may_poll():
            now = self._clock.wall()
            self._hand_over(self._runs_of(self._tiers.work(self._consumer, now), now))
            self._take(self._consumer.poll(POLL_RECORDS, POLL_TIMEOUT))

    def _settle(self, timeout: float) -> None:
        """Act on all reports, serve acknowledgements, and book what has settled."""
        while self._outbox:
            report = self._outbox.popleft()
            if isinstance(report, Later):
                self._tiers.put_back(report.run)
            else:
                self._settler.settle(report)
        self._mailer.work(timeout)
        self._settler.work()
        self._books.book(self._progress.values())

    def _is_under_way(self, going: Iterable[Progress]) -> bool:
        in_flight = any(progress.assignment.in_flight for progress in going)
        return in_flight or len(self._outbox) > 0 or self._settler.weight > 0 or self._mailer.unacknowledged > 0

    def _subscribe(self) -> None:
        """Serve every retry topic that exists, also those that come later."""
        now = self._clock.monotonic()
        if now - self._looked_at < (TOPICS_EVERY if self._subscribed else LOOK_AGAIN):
            return
        self._looked_at = now
        try:
            topics = self._topics()
        except BrokerError as error:
            if isinstance(error, TopicMissing) and not self._subscribed:
                since = self._missing_since = now if self._missing_since is None else self._missing_since
                if now - since < BELIEVED_AFTER:
                    return
            if not self._subscribed:
                raise
            self.pulse.trouble = str(error)
            log.warning("delivery.topics_unknown", error=str(error))
            return
        self.pulse.trouble, self.pulse.answered_at = "", now
        if topics != self._subscribed:
            self._subscribed = topics
            self._tiers.subscribed(topics)
            self._consumer.subscribe(topics)

    def _tell(self) -> None:
        """Log now and then what was done since the last time, and what is held."""
        now = self._clock.monotonic()
        if now - self._told_at < TELL_EVERY:
            return
        reading = self._metrics.read()
        if reading.counters != self._told or self._dispatcher.weight:
            log.info("delivery.progress", **reading.counters, **reading.peaks)
        self._told_at, self._told = now, reading.counters

    def _may_poll(self) -> bool:
        """Hold the poll back while a full lane may still get room, or memory has run out."""
        now = self._clock.monotonic()
        held = self._dispatcher.weight + self._outbox.weight + self._settler.weight + self._mailer.weight
        # What waits on tiers for its time is bounded there; to wait for it here would be to wait for ourselves.
        self._metrics.peak("held_bytes", held + self._tiers.weight)
        if not self._dispatcher.holds_back and held < self._memory:
            if self._is_paused:
                self._is_paused = False
                self._consumer.resume([place for place in self._progress if not self._tiers.is_asleep(place)])
            self._held_since = None
            return True
        if self._held_since is None:
            self._held_since = now
        if now - self._held_since < HOLD_QUIETLY:
            self._mailer.work(0.005)
            return False
        if not self._is_paused:
            self._is_paused = True
            self._consumer.pause(list(self._progress))
        self._take(self._consumer.poll(POLL_RECORDS, POLL_TIMEOUT))
        return False

    def _take(self, records: Sequence[Record]) -> None:
        """Group one poll's records by partition, and hand the runs over to the event loop."""
        self.pulse.polled_at = self._clock.monotonic()
        self.pulse.partitions = len(self._progress)
        if not records:
            return
        by_partition: dict[tuple[str, int], list[Record]] = {}
        for record in records:
            place = (record.topic(), record.partition())
            held = by_partition.get(place)
            if held is None:
                by_partition[place] = [record]
            else:
                held.append(record)
        runs: list[Run] = []
        # The main topic first: a tier's events come behind those of the main topic that were polled with them.
        for (topic, partition), polled in sorted(by_partition.items(), key=lambda each: each[0][0] != self._main_topic):
            runs += self._take_partition(TopicPartition(topic, partition), polled)
        self._hand_over(runs)

    def _hand_over(self, runs: Sequence[Run]) -> None:
        if runs:
            self._loop.call_soon_threadsafe(self._dispatcher.offer, runs)

    def _take_partition(self, partition: TopicPartition, polled: Sequence[Record]) -> Sequence[Run]:
        progress = self._progress.get(partition)
        if progress is None or not self._tiers.takes(partition):
            return ()
        if partition.topic == self._main_topic:
            return self._take_fresh(progress, self._sequence.following(progress, polled, self._consumer))
        now = self._clock.wall()
        return self._runs_of(self._tiers.read(progress, polled, self._consumer, now), now)

    def _runs_of(self, found: Sequence[Due], now: float) -> Sequence[Run]:
        return [run for chunk, due in found for run in self._take_due(chunk, due, now)]

    def _take_fresh(self, progress: Progress, polled: Sequence[Record]) -> Sequence[Run]:
        if not polled:
            return ()
        chunk = make_chunk(progress, polled)
        self._metrics.count("records_polled", len(polled))
        return self._bury(chunk, self._intake.take_fresh(chunk, polled, self._clock.monotonic()))

    def _take_due(self, chunk: Chunk, due: Sequence[Marked], now: float) -> Sequence[Run]:
        if due[0][1] is not None:
            self._metrics.observe("lateness_seconds", max(0.0, now - due[0][1].due_at))
        self._metrics.count("records_polled", len(due))
        return self._bury(chunk, self._intake.take_due(chunk, due, self._clock.monotonic()))

    def _bury(self, chunk: Chunk, taken: Taken) -> Sequence[Run]:
        """Dead-letter what can be delivered to nobody, and return the rest."""
        for dead in taken.dead:
            self._settler.bury(chunk, dead)
        return taken.runs

    def finish(self) -> None:
        """Drain: finish what is held, by the deadline; what is not finished stays uncommitted and comes again."""
        self._consumer.pause(list(self._progress))
        self._loop.call_soon_threadsafe(self._dispatcher.drain)
        self._ends_at = self._clock.monotonic() + self._drain
        self.pulse.is_draining = True
        while (now := self._clock.monotonic()) < self._ends_at and self._dispatcher.fault is None:
            self.pulse.turned_at = now
            self._tiers.confirm(self._consumer)
            self._settle(0.01)
            self._books.commit(self._progress, self._consumer)
            self._consumer.poll(1, 0.0)  # all are paused: this only lets the group hear of us
            if all(progress.is_idle for progress in self._progress.values()):
                break
        try:
            self._books.commit(self._progress, self._consumer, wait=True)
        except HeadraceError as error:
            log.warning("delivery.commit_failed", error=str(error))
        self._consumer.close()
