"""What Headrace asks of a sink. A third party ships one with `SinkContract` as its test (headrace.testing)."""

from typing import Protocol

from headrace.model.batch import Batch
from headrace.model.outcome import Answer


class Sink(Protocol):
    """Writes batches to one destination type. One instance per destination and worker, used from one event loop."""

    async def write(self, batch: Batch) -> Answer:
        """Post *batch* once and say what it came to. Cancelling it abandons the post; raising is `Busy`."""
        ...

    async def aclose(self) -> None:
        """Release what is held. A second call does nothing."""
        ...
