"""Which destinations people have paused: read from the control topic, and written to it.

The topic is compacted and has one partition. It is made with the first pause, so a river that nobody ever paused has
none.
"""

from collections.abc import Callable, Mapping

from headrace.broker.port import Broker, Reader
from headrace.clock import Clock
from headrace.errors import BrokerError, BrokerUnavailable
from headrace.model.pause import Pause
from headrace.model.record import TopicPartition
from headrace.model.topic import TopicState
from headrace.wire import pauses
from headrace.wire.topics import TopicNames

TOPIC_EVERY = 5.0
"""Seconds between looks for a control topic that is not there."""

WRITE_WITHIN = 10.0
"""Seconds that the brokers have to take a decision."""

_MEMORY = 1 << 20


class Pauses:
    """Reads what is paused; one thread calls it. *open_reader* is called at the first look."""

    def __init__(self, open_reader: Callable[[], Reader], names: TopicNames, clock: Clock) -> None:
        self._open_reader = open_reader
        self._reader: Reader | None = None
        self._place = TopicPartition(names.control, 0)
        self._clock = clock
        self._looked_at = -TOPIC_EVERY
        self._next: int | None = None
        self._found: dict[str, Pause] = {}

    def look(self) -> Mapping[str, Pause]:
        """Return what is paused now, by name; raise `BrokerError` when Kafka does not answer."""
        if self._reader is None:
            self._reader = self._open_reader()
        if self._next is None and not self._is_there(self._reader):
            return {}
        first, end = self._reader.bounds(self._place.topic)[0]
        if self._next is None or not first <= self._next <= end:
            self._next, self._found = first, {}
        if self._next < end:
            for record in self._reader.read(self._place, self._next, end):
                name, value = pauses.name_of(record.key()), record.value()
                if name is None:
                    continue
                pause = pauses.decode(value) if value is not None else None
                if pause is None:
                    self._found.pop(name, None)
                else:
                    self._found[name] = pause
            self._next = end
        return dict(self._found)

    def close(self) -> None:
        """Release what is held."""
        if self._reader is not None:
            self._reader.close()

    def _is_there(self, reader: Reader) -> bool:
        now = self._clock.monotonic()
        if now - self._looked_at < TOPIC_EVERY:
            return False
        self._looked_at = now
        return self._place.topic in reader.topics()


class Pausing:
    """Writes decisions. Each call returns when the brokers have it, and raises `BrokerError` when they do not take it.

    *replication* and *in_sync* are those of the other topics.
    """

    def __init__(self, broker: Broker, names: TopicNames, *, replication: int, in_sync: int) -> None:
        self._broker = broker
        self._topic = TopicState(
            name=names.control,
            partitions=1,
            replication=replication,
            config={"cleanup.policy": "compact", "min.insync.replicas": str(in_sync)},
        )

    def pause(self, pause: Pause) -> None:
        """Let what *pause* names get no posts from now on."""
        self._write(pause, pauses.encode(pause))

    def resume(self, pause: Pause) -> None:
        """Let what *pause* names get posts again."""
        self._write(pause, None)

    def _write(self, pause: Pause, value: bytes | None) -> None:
        admin = self._broker.admin()
        if self._topic.name not in admin.describe():
            admin.create(self._topic)
        producer = self._broker.producer(memory=_MEMORY, patience=WRITE_WITHIN)
        failed: list[BrokerError | None] = []
        try:
            producer.produce(self._topic.name, key=pauses.key(pause), value=value, partition=0, on_ack=failed.append)
            producer.flush(WRITE_WITHIN)
        finally:
            producer.close(0)
        if not failed:
            raise BrokerUnavailable("Kafka did not take the decision in time; look whether it holds, and try again")
        if failed[0] is not None:
            raise failed[0]
