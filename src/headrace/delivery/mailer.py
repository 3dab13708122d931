"""Writes to Kafka that must arrive: what the queue has no room for, or the brokers refused, is sent again."""

from collections import deque
from collections.abc import Callable

import msgspec
import structlog

from headrace.broker.port import Producer
from headrace.clock import Clock
from headrace.core.runs import EVENT_OVERHEAD
from headrace.errors import BrokerError, QueueFull, RecordTooLarge
from headrace.model.mark import Mark
from headrace.wire.headers import encode

RESEND_AFTER = 0.5
"""Seconds before a record that the brokers refused is sent again."""

log = structlog.get_logger(__name__)


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One record to write, with *mark* as its headers.

    *too_large* is called instead of sending it again when no broker takes its size.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    mark: Mark | None = None
    partition: int | None = None
    acknowledged: Callable[[], None] | None = None
    too_large: Callable[[], None] | None = None

    @property
    def weight(self) -> int:
        """Bytes held until it is acknowledged."""
        return len(self.value or b"") + EVENT_OVERHEAD


class Mailer:
    """Sends parcels until each is acknowledged, on the thread that calls it; nothing is given up."""

    def __init__(self, producer: Producer, clock: Clock) -> None:
        self._producer = producer
        self._clock = clock
        self._waiting: deque[Parcel] = deque()
        self._refused: deque[tuple[float, Parcel]] = deque()
        self._complained: set[str] = set()
        self.unacknowledged = 0
        self.weight = 0
        """Bytes of what is not acknowledged yet."""

    @property
    def is_congested(self) -> bool:
        """Whether the producer's queue is full, so that what is sent now would only wait here."""
        return bool(self._waiting)

    def send(self, parcel: Parcel) -> None:
        """Send *parcel*, now or as soon as there is room."""
        self.unacknowledged += 1
        self.weight += parcel.weight
        if self._waiting:
            self._waiting.append(parcel)
        else:
            self._try(parcel)

    def work(self, timeout: float = 0.0) -> None:
        """Serve acknowledgements, waiting up to *timeout* for one, and send what had to wait."""
        self._producer.poll(timeout)
        now = self._clock.monotonic()
        while self._refused and self._refused[0][0] <= now:
            self._waiting.append(self._refused.popleft()[1])
        for _ in range(len(self._waiting)):
            if not self._try(self._waiting.popleft()):
                return

    def _try(self, parcel: Parcel) -> bool:
        try:
            self._producer.produce(
                parcel.topic,
                key=parcel.key,
                value=parcel.value,
                headers=encode(parcel.mark) if parcel.mark else (),
                partition=parcel.partition,
                on_ack=lambda error: self._acknowledge(parcel, error),
            )
        except QueueFull:
            self._waiting.appendleft(parcel)
            return False
        return True

    def _acknowledge(self, parcel: Parcel, error: BrokerError | None) -> None:
        if error is not None and not (isinstance(error, RecordTooLarge) and parcel.too_large):
            if parcel.topic not in self._complained:
                self._complained.add(parcel.topic)
                log.warning("delivery.write_refused", topic=parcel.topic, error=str(error))
            self._refused.append((self._clock.monotonic() + RESEND_AFTER, parcel))
            return
        self._complained.discard(parcel.topic)
        self.unacknowledged -= 1
        self.weight -= parcel.weight
        if error is not None and parcel.too_large is not None:
            parcel.too_large()
        elif parcel.acknowledged is not None:
            parcel.acknowledged()
