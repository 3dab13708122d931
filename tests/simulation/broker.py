"""The simulated Kafka as one worker sees it."""

from headrace.broker.memory_reader import MemoryAdmin, MemoryReader
from headrace.broker.port import Failed, RebalanceListener
from simulation.consumer import SimulatedConsumer
from simulation.group import Coordinator
from simulation.producer import SimulatedProducer
from simulation.scene import Life, Scene


class SimulatedBroker:
    """A `Broker`. The memory broker's logs, read by its reader; group and producer are a model of their own."""

    def __init__(self, scene: Scene, life: Life, group: Coordinator) -> None:
        self._scene = scene
        self._life = life
        self._group = group
        self.consumers: list[SimulatedConsumer] = []

    def consumer(self, group: str, listener: RebalanceListener) -> SimulatedConsumer:
        self.consumers.append(SimulatedConsumer(self._scene, self._life, self._group, listener))
        return self.consumers[-1]

    def producer(
        self,
        *,
        memory: int,
        linger: float = 0.005,
        compression: str = "lz4",
        patience: float | None = None,
        on_failed: Failed | None = None,
        max_message_bytes: int | None = None,
    ) -> SimulatedProducer:
        return SimulatedProducer(self._scene, self._life)

    def reader(self) -> MemoryReader:
        return MemoryReader(self._scene.cluster)

    def admin(self) -> MemoryAdmin:
        return MemoryAdmin(self._scene.cluster)
