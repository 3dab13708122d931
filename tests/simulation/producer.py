"""A producer of the simulated cluster: records travel, and so do acknowledgements; either may get lost."""

from collections import deque
from collections.abc import Sequence
from functools import partial

import msgspec

from headrace.broker.port import Acknowledge
from headrace.errors import BrokerError, QueueFull
from headrace.model.record import Header, TopicPartition
from headrace.model.tile import Tile
from headrace.wire import attempts
from simulation.scene import NAMES, Killed, Life, Scene

QUEUE = 60
"""Records that the queue holds; in bad weather a twentieth of it."""


class Parcel(msgspec.Struct, frozen=True):
    """One record on its way."""

    where: TopicPartition
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    on_ack: Acknowledge | None


class SimulatedProducer:
    """A `Producer`. Within a partition all keeps its order, as with idempotence; between partitions nothing does."""

    def __init__(self, scene: Scene, life: Life) -> None:
        self._scene = scene
        self._life = life
        self._queued: list[Parcel] = []
        self._under_way = 0
        self._acknowledged: deque[tuple[Parcel, BrokerError | None]] = deque()
        self._busy_until: dict[TopicPartition, float] = {}

    def produce(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
        on_ack: Acknowledge | None = None,
    ) -> None:
        if self._life.is_dead:
            raise Killed
        if len(self) >= (QUEUE // 20 if self._scene.has("full") else QUEUE):
            raise QueueFull("the producer's queue is full; poll, and produce again")
        number = sum(key or b"") % self._scene.script.partitions if partition is None else partition
        if not self._queued:
            self._scene.timeline.after(self._scene.random.uniform(0.0, 0.01), self._send, self._life)
        self._queued.append(Parcel(TopicPartition(topic, number), key, value, headers, on_ack))

    def poll(self, timeout: float = 0.0) -> int:
        if timeout and not self._acknowledged:
            timeline = self._scene.timeline
            timeline.run(timeline.now + timeout * self._scene.random.choice((1, 2, 5)))
            while self._life.is_frozen and not self._life.is_dead:
                timeline.run(timeline.now + 0.2)
        if self._life.is_dead:
            raise Killed
        served = len(self._acknowledged)
        for _ in range(served):
            parcel, error = self._acknowledged.popleft()
            if parcel.on_ack is not None:
                parcel.on_ack(error)
        return served

    def flush(self, timeout: float) -> int:
        deadline = self._scene.timeline.now + timeout
        while len(self) and self._scene.timeline.now < deadline:
            self.poll(0.05)
        return len(self)

    def close(self, timeout: float) -> int:
        return self.flush(timeout)

    def partitions(self, topic: str, timeout: float) -> int:
        return len(self._scene.cluster.topic(topic).logs)

    def __len__(self) -> int:
        return len(self._queued) + self._under_way + len(self._acknowledged)

    def _send(self) -> None:
        """Put what is queued on the wire, one request per partition."""
        requests: dict[TopicPartition, list[Parcel]] = {}
        for parcel in self._queued:
            requests.setdefault(parcel.where, []).append(parcel)
        self._under_way += len(self._queued)
        self._queued.clear()
        now, random = self._scene.timeline.now, self._scene.random
        for where, parcels in requests.items():
            takes = random.uniform(0.5, 3.0) if self._scene.has("lags") else random.uniform(0.001, 0.02)
            arrives = max(self._busy_until.get(where, 0.0) + 1e-6, now + takes)
            self._busy_until[where] = arrives
            self._scene.timeline.after(arrives - now, partial(self._arrive, parcels))

    def _arrive(self, parcels: list[Parcel]) -> None:
        """Reach the broker, whether or not the worker still lives."""
        scene = self._scene
        error: BrokerError | None = None
        if scene.has("refuses") and scene.random.random() < 0.5:
            error = BrokerError("the broker refuses this write")
        elif scene.has("forgets") and scene.random.random() < 0.3:
            error = BrokerError("nobody knows whether this was written")
        if error is None or "knows" in str(error):
            for parcel in parcels:
                if not scene.effect(self._life, partial(self._describe, parcel), partial(self._append, parcel)):
                    return
        scene.timeline.after(scene.random.uniform(0.001, 0.02), partial(self._acknowledge, parcels, error), self._life)

    def _append(self, parcel: Parcel) -> None:
        self._scene.judge.appended(self._scene.write(parcel.where, parcel.key, parcel.value, parcel.headers))

    def _acknowledge(self, parcels: list[Parcel], error: BrokerError | None) -> None:
        if error is not None:
            self._scene.note(self._life.name, f"{error}: {len(parcels)} of {parcels[0].where}")
        self._under_way -= len(parcels)
        self._acknowledged.extend((parcel, error) for parcel in parcels)
        self._life.nudge()

    def _describe(self, parcel: Parcel) -> str:
        place = f"writes {parcel.where}/{self._scene.logs[parcel.where].end - 1}:"
        if parcel.where.topic != NAMES.attempts:
            told = dict(parcel.headers)
            names = ("hr-destination", "hr-attempts", "hr-origin", "hr-reason")
            return " ".join((place, *(told[name].decode() for name in names)))
        document = attempts.decode(parcel.value or b"")
        if isinstance(document, Tile):
            return f"{place} tile of {document.topic}/{document.partition} {document.first}-{document.next - 1}"
        return f"{place} {type(document).__name__.lower()}"
