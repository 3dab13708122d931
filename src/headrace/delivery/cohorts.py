"""The owner's half of keeping order: partitions of one number are read together, tiers ahead where sessions drain.

A *cohort* is one partition number: that partition of the main topic, and of every tier. What is held of it is known
only to a worker that has all of it. So nothing of a cohort is read before it is complete, and nothing of its main
partition before its tiers were scanned for what stands on them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from headrace.broker.port import Committed, Consumer
from headrace.clock import Clock
from headrace.core.offsets import Progress
from headrace.core.runs import Run
from headrace.delivery.ordered_dispatcher import SILENCE, OrderedDispatcher
from headrace.delivery.scan import Scan, TailOf
from headrace.delivery.sequence import Sequencer
from headrace.delivery.tier_reading import TierReading
from headrace.delivery.tiers import Due
from headrace.errors import BrokerError
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.record import Record, TopicPartition
from headrace.telemetry.metrics import Metrics
from headrace.wire.envelope import org_of_key

AHEAD_EVERY = 0.25
AHEAD_AT_LEAST_EVERY = 2.0
"""Seconds between two readings ahead of one cohort; within these bounds as long as the last one took."""

ASK_EVERY = 1.0
"""Seconds between two questions about a log's end that the brokers did not answer."""

WARN_AFTER = 30.0
"""Seconds that an incomplete cohort may wait for the rest of it until the log says so."""

OnLoop = Callable[[Callable[[], None]], object]
"""Has something called on the event loop."""

RESTORE_EVENTS = 2000
"""Events on tiers that the event loop takes note of at once."""

ASSIGN_BY_RANGE = "order needs partitions of one number at one worker: the group's remote assignor must be 'range'"

log = structlog.get_logger(__name__)


class Cohort:
    """One partition number, as far as this worker has it."""

    def __init__(self, number: int, since: float) -> None:
        self.number = number
        self.since = since
        self.members: dict[str, Progress] = {}
        self.scan: Scan | None = None
        self.readings: dict[str, TierReading] = {}
        """The tiers, once the cohort is being served."""
        self.floor = 0
        """Where the main partition's log began when it was scanned: what was before it is not polled any more."""
        self.ahead_at = 0.0
        self.began_at = 0.0

    @property
    def is_read(self) -> bool:
        """Whether anything of it is read yet."""
        return self.scan is not None or bool(self.readings)

    @property
    def is_ahead(self) -> bool:
        return any(reading.is_ahead for reading in self.readings.values())


class Cohorts:
    """The `Tiers` of a worker that keeps order. Owned by the owner thread."""

    def __init__(
        self,
        *,
        main_topic: str,
        destinations: Mapping[str, Destination],
        dispatcher: OrderedDispatcher,
        on_loop: OnLoop,
        bounds: Callable[[str], Mapping[int, tuple[int, int]]],
        sequence: Sequencer,
        tail_of: TailOf,
        delay_of: Callable[[str], float],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._main_topic = main_topic
        self._destinations = destinations
        self._dispatcher = dispatcher
        self._on_loop = on_loop
        self._bounds = bounds
        self._sequence = sequence
        self._tail_of = tail_of
        self._delay_of = delay_of
        self._clock = clock
        self._metrics = metrics
        self._cohorts: dict[int, Cohort] = {}
        self._topics: frozenset[str] = frozenset()
        self._asked_at = float("-inf")

    def subscribed(self, topics: Sequence[str]) -> None:
        self._topics = frozenset(topics)

    def assigned(self, progresses: Iterable[Progress], consumer: Consumer) -> None:
        for progress in progresses:
            topic, number = progress.assignment.partition
            cohort = self._cohorts.get(number)
            if cohort is None:
                cohort = self._cohorts[number] = Cohort(number, self._clock.monotonic())
            cohort.members[topic] = progress
            consumer.pause([progress.assignment.partition])

    def confirm(self, consumer: Consumer) -> None:
        """After a silence, such as a freeze, let nothing be posted until a commit shows that the group knows us yet."""
        now = self._clock.monotonic()
        if now - self._dispatcher.heard_at > SILENCE:
            owned = [progress for cohort in self._cohorts.values() for progress in cohort.members.values()]
            known = {each.assignment.partition: Committed(*each.place) for each in owned if each.place is not None}
            if known:
                try:
                    consumer.commit(known, wait=True)
                except BrokerError as error:
                    log.warning("delivery.unconfirmed", error=str(error))
                    return
        self._dispatcher.heard_at = now

    def going(self, partitions: Sequence[TopicPartition]) -> set[TopicPartition]:
        """Name the rest of each cohort that is read too: what holds its sessions has to be found out again."""
        going = set(partitions)
        for number in {partition.partition for partition in partitions}:
            cohort = self._cohorts.get(number)
            if cohort is not None and cohort.is_read:
                going |= {progress.assignment.partition for progress in cohort.members.values()}
        return going

    def gone(self, partitions: Sequence[TopicPartition]) -> None:
        numbers = {partition.partition for partition in partitions}
        for number in numbers & self._cohorts.keys():
            cohort = self._cohorts[number]
            for topic in [topic for topic, of in partitions if of == number]:
                cohort.members.pop(topic, None)
            if cohort.is_read or not cohort.members:
                del self._cohorts[number]
        self._on_loop(lambda: self._dispatcher.forget(numbers))

    def broken(self) -> list[TopicPartition]:
        """Name the main partitions of cohorts that have to begin anew, since retention took what was left on a tier."""
        return [
            TopicPartition(self._main_topic, cohort.number)
            for cohort in self._cohorts.values()
            if any(reading.has_lost for reading in cohort.readings.values())
        ]

    def is_asleep(self, partition: TopicPartition) -> bool:
        cohort = self._cohorts.get(partition.partition)
        if cohort is None or not cohort.readings:
            return cohort is None or cohort.scan is None or partition.topic == self._main_topic
        reading = cohort.readings.get(partition.topic)
        return reading is not None and reading.wakes_at is not None

    def takes(self, partition: TopicPartition) -> bool:
        cohort = self._cohorts.get(partition.partition)
        if cohort is None:
            return False
        return bool(cohort.readings) or (cohort.scan is not None and partition.topic != self._main_topic)

    def read(self, progress: Progress, polled: Sequence[Record], consumer: Consumer, now: float) -> Sequence[Due]:
        partition = progress.assignment.partition
        cohort = self._cohorts[partition.partition]
        if cohort.scan is not None:
            cohort.scan.read(partition, polled, consumer, now)
            return ()
        reading = cohort.readings[partition.topic]
        return reading.read(polled, consumer, lambda *seen: self._is_ready(cohort, *seen, now=now), now)

    def put_back(self, run: Run) -> None:
        assignment = run.chunk.assignment
        cohort = self._cohorts.get(assignment.partition.partition)
        reading = cohort.readings.get(assignment.partition.topic) if cohort is not None else None
        if reading is not None and reading.progress.assignment is assignment:
            reading.put_back(run)

    @property
    def weight(self) -> int:
        return 0

    def work(self, consumer: Consumer, now: float) -> Sequence[Due]:
        self._metrics.peak("sessions_held", self._dispatcher.sessions_held)
        self._begin_scans(consumer, now)
        for cohort in self._cohorts.values():
            if cohort.scan is not None and cohort.scan.is_done:
                self._serve(cohort, consumer)
            elif cohort.scan is not None and cohort.scan.is_stuck(now):
                consumer.pause([progress.assignment.partition for progress in cohort.members.values()])
                cohort.scan = None
            for reading in cohort.readings.values():
                if reading.is_behind and not reading.is_ahead:
                    reading.rest(consumer)
                elif reading.wakes_at is not None and reading.wakes_at <= now:
                    reading.wake(consumer)
            if cohort.readings:
                self._read_ahead(cohort, consumer, now)
        return ()

    def _begin_scans(self, consumer: Consumer, now: float) -> None:
        waiting = [cohort for cohort in self._cohorts.values() if not cohort.readings and cohort.scan is None]
        complete = [cohort for cohort in waiting if cohort.members.keys() >= self._topics]
        asked_at = self._clock.monotonic()
        self._warn(waiting, asked_at)
        if not complete or asked_at - self._asked_at < ASK_EVERY:
            return
        try:
            bounds = {topic: self._bounds(topic) for topic in self._topics}
        except BrokerError as error:
            self._asked_at = asked_at
            log.warning("delivery.ends_unknown", error=str(error))
            return
        for cohort in complete:
            for topic, progress in cohort.members.items():
                if progress.next is None:
                    progress.next = bounds[topic][cohort.number][0]
            cohort.floor = bounds[self._main_topic][cohort.number][0]
            tiers = {topic: each for topic, each in cohort.members.items() if topic != self._main_topic}
            within = {topic: bounds[topic][cohort.number] for topic in tiers}
            cohort.scan = Scan(tiers, within, self._tail_of, consumer, now)

    def _serve(self, cohort: Cohort, consumer: Consumer) -> None:
        """Tell the lanes what stands on the tiers, and read them and the main partition from now on."""
        assert cohort.scan is not None, "a cohort is scanned before it is served"
        tails = cohort.scan.tails()
        cohort.scan = None
        for start in range(0, len(tails), RESTORE_EVENTS):
            part = tails[start : start + RESTORE_EVENTS]
            self._on_loop(lambda part=part: self._dispatcher.restore(part))  # type: ignore[misc]
        for topic, progress in cohort.members.items():
            partition = progress.assignment.partition
            consumer.seek(partition, progress.next or 0)
            consumer.resume([partition])
            if topic != self._main_topic:
                cohort.readings[topic] = TierReading(progress, self._delay_of(topic), self._sequence)
        log.info("delivery.serves", partition=cohort.number, on_tiers=len(tails))

    def _read_ahead(self, cohort: Cohort, consumer: Consumer, now: float) -> None:
        """Read all tiers to their ends while sessions drain, then go back to what was left, and begin again."""
        is_wanted = cohort.number in self._dispatcher.draining
        if not cohort.is_ahead and is_wanted and now >= cohort.ahead_at:
            cohort.began_at = now
            for reading in cohort.readings.values():
                if not reading.is_overdue(now):
                    reading.read_ahead(consumer, now)
        for reading in cohort.readings.values():
            if reading.is_ahead and (not is_wanted or reading.is_through(now)):
                reading.rest(consumer)
                cohort.ahead_at = now + min(max(AHEAD_EVERY, now - cohort.began_at), AHEAD_AT_LEAST_EVERY)

    def _is_ready(self, cohort: Cohort, record: Record, mark: Mark | None, is_ahead: bool, *, now: float) -> bool:
        """Tell whether a tier's record may go to its lane now: it is due, or its session drains."""
        if mark is None:
            return True
        origin = mark.origin
        is_bound = origin.topic == self._main_topic and origin.partition == cohort.number and not mark.redriven
        if is_bound and origin.offset >= max(cohort.floor, cohort.members[self._main_topic].next or 0):
            # The poll of the main topic, which a crash set back, comes to it yet, and to what is before it.
            return False
        if mark.due_at <= now:
            return True
        destination = self._destinations.get(mark.destination)
        key = record.key()
        org = org_of_key(key)
        if not is_ahead or not is_bound or mark.attempts or destination is None or key is None or org is None:
            return False
        return self._dispatcher.drains(cohort.number, org, destination, key)

    def _warn(self, waiting: Sequence[Cohort], now: float) -> None:
        for cohort in waiting:
            if now - cohort.since >= WARN_AFTER:
                cohort.since = now
                missing = sorted(self._topics - cohort.members.keys())
                log.warning("delivery.incomplete", partition=cohort.number, missing=missing, hint=ASSIGN_BY_RANGE)
