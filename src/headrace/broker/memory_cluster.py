"""What the memory broker's clients share: topics with their records, groups with their members, planned faults."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from headrace.broker.port import Committed, TopicState
from headrace.clock import Clock
from headrace.errors import BrokerError, BrokerUnavailable, TopicMissing
from headrace.model.record import Header, TopicPartition

DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
"""What a topic takes that does not say it: Kafka's default of `max.message.bytes`."""

_CREATE_TIME = 1


class Kept(NamedTuple):
    """What a record is made of."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    written_at: int


class MemoryRecord:
    """A `Record`."""

    __slots__ = ("_kept",)

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def topic(self) -> str:
        return self._kept.topic

    def partition(self) -> int:
        return self._kept.partition

    def offset(self) -> int:
        return self._kept.offset

    def key(self) -> bytes | None:
        return self._kept.key

    def value(self) -> bytes | None:
        return self._kept.value

    def headers(self) -> Sequence[Header] | None:
        return self._kept.headers or None

    def timestamp(self) -> tuple[int, int]:
        return (_CREATE_TIME, self._kept.written_at)


class Log:
    """One partition: the records from `start` on."""

    def __init__(self) -> None:
        self.start = 0
        self._records: list[MemoryRecord] = []

    @property
    def end(self) -> int:
        """The next offset to be written."""
        return self.start + len(self._records)

    def append(self, record: MemoryRecord) -> None:
        self._records.append(record)

    def between(self, start: int, stop: int) -> Sequence[MemoryRecord]:
        """Return what is kept of `[start, stop)`."""
        return self._records[max(start - self.start, 0) : max(stop - self.start, 0)]

    def offset_at(self, written_at: int) -> int:
        """Return the first offset that was written at or after *written_at*, in milliseconds, or else the end."""
        kept = (each.offset() for each in self._records if each.timestamp()[1] >= written_at)
        return next(kept, self.end)

    def delete_before(self, offset: int) -> None:
        """Forget the records before *offset*, as retention does."""
        kept = self.between(offset, self.end)
        self.start, self._records = max(self.start, min(offset, self.end)), list(kept)


class Topic:
    """A topic: its state and its logs."""

    def __init__(self, state: TopicState) -> None:
        self.state = state
        self.logs = [Log() for _ in range(state.partitions)]

    @property
    def max_message_bytes(self) -> int:
        return int(self.state.config.get("max.message.bytes", DEFAULT_MAX_MESSAGE_BYTES))


class Group:
    """A consumer group: who is in it, who owns what, and how far it came."""

    def __init__(self) -> None:
        self.subscribed: dict[object, Sequence[str]] = {}
        self.owners: dict[TopicPartition, object] = {}
        self.places: dict[TopicPartition, Committed] = {}

    def take(self, member: object, share: Iterable[TopicPartition]) -> Mapping[TopicPartition, Committed | None]:
        """Give *member* what is free of its *share*; return where the group stands in that."""
        free = sorted(where for where in share if where not in self.owners)
        self.owners.update(dict.fromkeys(free, member))
        return {where: self.places.get(where) for where in free}

    def release(self, member: object, partitions: Iterable[TopicPartition]) -> None:
        """Free *partitions* as far as *member* owns them."""
        for where in partitions:
            if self.owners.get(where) is member:
                del self.owners[where]

    def held_by(self, member: object) -> Sequence[TopicPartition]:
        """Return what *member* owns."""
        return sorted(where for where, owner in self.owners.items() if owner is member)

    def leave(self, member: object) -> None:
        """Take *member* out, and free what it owned."""
        self.subscribed.pop(member, None)
        self.release(member, list(self.owners))

    def share_of(self, member: object, topics: Mapping[str, Topic]) -> set[TopicPartition]:
        """Return what *member* is to own: its range of each topic, so that equal topics are shared alike."""
        share: set[TopicPartition] = set()
        for name in self.subscribed[member]:
            members = [each for each, wanted in self.subscribed.items() if name in wanted]
            count = len(topics[name].logs) if name in topics else 0
            place = members.index(member)
            first, last = (count * at // len(members) for at in (place, place + 1))
            share |= {TopicPartition(name, partition) for partition in range(first, last)}
        return share


class Cluster:
    """All of it, behind one condition, which is notified of everything that a waiting client may want to know."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.changed = threading.Condition(threading.RLock())
        self.topics: dict[str, Topic] = {}
        self.groups: dict[str, Group] = {}
        self.refusing: set[str] = set()
        self.is_down = False

    def check_up(self) -> None:
        """Raise `BrokerUnavailable` while the broker is stopped."""
        if self.is_down:
            raise BrokerUnavailable("the memory broker is stopped; `start` starts it again")

    def topic(self, name: str) -> Topic:
        """Return a topic; raise `TopicMissing` when it is not there."""
        if name not in self.topics:
            raise TopicMissing(f"the topic {name} does not exist: `headrace topics apply` makes it")
        return self.topics[name]

    def log(self, where: TopicPartition) -> Log:
        """Return a partition; raise `TopicMissing` when it is not there."""
        logs = self.topic(where.topic).logs
        if not 0 <= where.partition < len(logs):
            raise TopicMissing(f"the topic {where.topic} has no partition {where.partition}")
        return logs[where.partition]

    def group(self, name: str) -> Group:
        return self.groups.setdefault(name, Group())

    def write(self, where: TopicPartition, key: bytes | None, value: bytes | None, headers: Iterable[Header]) -> None:
        """Append a record; raise `BrokerError` when its topic is refusing."""
        if where.topic in self.refusing:
            raise BrokerError(f"the topic {where.topic} refuses writes")
        log = self.log(where)
        written_at = int(self.clock.wall() * 1000)
        log.append(MemoryRecord(Kept(*where, log.end, key, value, tuple(headers), written_at)))
        self.changed.notify_all()
