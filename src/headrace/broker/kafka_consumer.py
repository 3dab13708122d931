"""One member of a consumer group, on confluent-kafka.

librdkafka calls back from within `consume`, and an exception that comes out of a callback makes it throw away the
whole batch it was about to return. So nothing raises there: what goes wrong is raised by the next poll.
"""

import atexit
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as Place

from headrace.broker.kafka_client import ANSWER_WITHIN, Connection, group_config
from headrace.broker.port import Committed, RebalanceListener
from headrace.broker.settings import KafkaSettings
from headrace.errors import BrokerError
from headrace.model.record import Record, TopicPartition

_GLANCE = 1.0
"""Seconds that one poll may ask for places that could not be looked up, and that a client without brokers may close."""

_LEAVE_WITHIN = 5.0
"""Seconds for which a client that is answered may take to leave its group."""

_log = logging.getLogger(__name__)


class KafkaConsumer:
    """A `Consumer`. Partitions arrive with their place looked up; until that is known they are paused."""

    def __init__(self, settings: KafkaSettings, group: str, listener: RebalanceListener) -> None:
        self._listener = listener
        self._takes_all = settings.group_protocol == "classic"
        self._owned: set[TopicPartition] = set()
        self._unplaced: set[TopicPartition] = set()
        self._sought: dict[TopicPartition, int] = {}
        self._has_lost = False
        self._fault: Exception | None = None
        self._is_closed = False
        self._is_silent = False
        self._connection = Connection(settings, self._on_fatal)
        self._client = self._connection.open(Consumer, {**group_config(settings, group), "on_commit": self._on_commit})
        # A client that was not closed may wait for ever in its destructor. So none is destroyed before it is closed.
        atexit.register(self._abandon)

    def subscribe(self, topics: Sequence[str]) -> None:
        self._client.subscribe(
            list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def poll(self, most: int, timeout: float) -> Sequence[Record]:
        if self._fault is not None:
            raise self._fault
        if self._unplaced:
            self._place_late()
        if self._sought:
            self._seek_again()
        self._has_lost = False
        try:
            records = self._client.consume(most, timeout)
        except KafkaException as error:
            raise self._connection.fault(error) from None
        if any(map(Message.error, records)):
            records = [record for record in records if not self._is_error(record)]
        if self._has_lost:
            # Polled just before their partition went: whoever owns it now polls them again.
            records = [each for each in records if (each.topic(), each.partition()) in self._owned]
        if self._sought:
            records = [each for each in records if (each.topic(), each.partition()) not in self._sought]
        return records  # type: ignore[return-value]  # the stubs allow None where a polled record has none

    def commit(self, places: Mapping[TopicPartition, Committed], *, wait: bool = False) -> None:
        offsets = [
            Place(where.topic, where.partition, place.offset, place.metadata)
            for where, place in places.items()
            if where in self._owned
        ]
        if not offsets:
            return
        try:
            if wait:
                self._commit_now(offsets)
            else:
                self._client.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            if wait:
                raise self._connection.fault(error) from None
            _log.info("Kafka: a commit failed, the next one covers it: %s", error)

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        if places := self._places(partitions):
            self._client.pause(places)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        if places := self._places(partitions):
            self._client.resume(places)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition in self._owned:
            self._seek(partition, offset)

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        atexit.unregister(self._abandon)
        fault = self._fault
        self._is_silent = bool(self._owned) and not self._is_answered()
        self._part(_GLANCE if self._is_silent else _LEAVE_WITHIN)
        if self._fault is not None and self._fault is not fault:
            raise self._fault

    def _part(self, within: float) -> None:
        """Leave the group. The client may wait for ever for brokers that are gone, or have fenced it: we do not."""
        if revoked := sorted(self._owned):
            self._tell(lambda: self._listener.on_revoke(revoked))
        closing = threading.Thread(target=self._abandon, name="headrace-parting", daemon=True)
        closing.start()
        closing.join(within)

    def _abandon(self) -> None:
        """Leave the group at the end of the process; whoever listened is not told any more."""
        self._owned.clear()
        self._client.close()

    def _on_assign(self, client: Consumer, arrived: list[Place]) -> None:
        try:
            places = _committed(client, arrived, ANSWER_WITHIN)
        except KafkaException as error:
            _log.warning("Kafka: where the group stands is not known yet: %s", error)
            unplaced = dict.fromkeys(map(_partition, arrived))
            self._unplaced |= unplaced.keys()
            self._assign(client, unplaced)
            client.pause(arrived)
        else:
            self._assign(client, places)
            self._own(places)

    def _assign(self, client: Consumer, places: Mapping[TopicPartition, Committed | None]) -> None:
        starts = [Place(*where, place.offset if place else OFFSET_BEGINNING) for where, place in places.items()]
        try:
            if self._takes_all:
                client.assign(starts)
            else:
                client.incremental_assign(starts)
            # librdkafka remembers a pause as long as the client lives, also that of a partition which comes back.
            client.resume(starts)
        except KafkaException as error:
            self._fault = self._connection.fault(error)

    def _place_late(self) -> None:
        late = [Place(*where) for where in self._unplaced]
        try:
            places = _committed(self._client, late, _GLANCE)
        except KafkaException:
            return
        for where, place in places.items():
            if place is not None:
                self._seek(where, place.offset)
        self._unplaced.clear()
        self._client.resume(late)
        self._own(places)

    def _seek(self, partition: TopicPartition, offset: int) -> None:
        """Seek, now or as soon as it can be done: a partition that went and came back may not be read yet."""
        try:
            self._client.seek(Place(*partition, offset))
        except KafkaException as error:
            self._sought[partition] = offset
            _log.info("Kafka: %s-%d is not sought yet, the next poll does it: %s", *partition, error)
        else:
            self._sought.pop(partition, None)

    def _seek_again(self) -> None:
        for partition, offset in list(self._sought.items()):
            self._seek(partition, offset)

    def _own(self, places: Mapping[TopicPartition, Committed | None]) -> None:
        self._owned |= places.keys()
        self._tell(lambda: self._listener.on_assign(places))

    def _on_revoke(self, client: Consumer, going: list[Place]) -> None:
        revoked = [where for where in map(_partition, going) if where in self._owned]
        if revoked:
            self._tell(lambda: self._listener.on_revoke(revoked))
        self._disown(client, going)

    def _on_lost(self, client: Consumer, gone: list[Place]) -> None:
        lost = [where for where in map(_partition, gone) if where in self._owned]
        self._disown(client, gone)
        if lost:
            self._tell(lambda: self._listener.on_lost(lost))

    def _disown(self, client: Consumer, places: list[Place]) -> None:
        self._has_lost = True
        for where in map(_partition, places):
            self._owned.discard(where)
            self._unplaced.discard(where)
            self._sought.pop(where, None)
        try:
            if self._takes_all:
                client.unassign()
            else:
                client.incremental_unassign(places)
        except KafkaException as error:
            self._fault = self._connection.fault(error)

    def _tell(self, listener: Callable[[], None]) -> None:
        try:
            listener()
        except Exception as error:  # noqa: BLE001 - kept, and raised by the next poll
            self._fault = error

    def _on_fatal(self, error: KafkaError) -> None:
        if error.code() == KafkaError.UNSUPPORTED_VERSION or "UNSUPPORTED_VERSION" in error.str():
            self._fault = BrokerError(
                "the brokers do not know KIP-848, which needs Kafka 4.0 or later: set kafka.group_protocol to 'classic'"
            )
        else:
            self._fault = self._connection.fault(error)

    def _on_commit(self, error: KafkaError | None, places: list[Place]) -> None:
        failed = error or next((place.error for place in places if place.error), None)
        if failed is not None:
            _log.info("Kafka: a commit failed, the next one covers it: %s", failed)

    def _commit_now(self, offsets: list[Place]) -> None:
        # Without a coordinator a commit that is waited for blocks for 45 s, so ask first whether there is one. Within
        # close librdkafka answers no questions any more.
        if self._is_silent or not (self._is_closed or self._is_answered()):
            raise KafkaException(KafkaError(KafkaError._WAIT_COORD))  # noqa: SLF001 - a public name that begins so
        for place in self._client.commit(offsets=offsets, asynchronous=False) or ():
            if place.error is not None:
                raise KafkaException(place.error)

    def _is_answered(self) -> bool:
        try:
            _committed(self._client, [Place(*next(iter(self._owned)))], ANSWER_WITHIN)
        except KafkaException:
            return False
        return True

    def _is_error(self, record: Message) -> bool:
        error = record.error()
        if error is not None:
            self._connection.hear(error)
        return error is not None

    def _places(self, partitions: Iterable[TopicPartition]) -> list[Place]:
        return [Place(*where) for where in partitions if where in self._owned]


def _partition(place: Place) -> TopicPartition:
    return TopicPartition(place.topic, place.partition)


def _committed(client: Consumer, places: list[Place], timeout: float) -> dict[TopicPartition, Committed | None]:
    """Ask where the group stands; raise `KafkaException` unless all of it is known."""
    found = client.committed([Place(place.topic, place.partition) for place in places], timeout=timeout)
    for place in found:
        if place.error is not None:
            raise KafkaException(place.error)
    return {
        _partition(place): Committed(place.offset, place.metadata or "") if place.offset >= 0 else None
        for place in found
    }
