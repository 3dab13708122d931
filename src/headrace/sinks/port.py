"""What Headrace asks of a sink. A third party ships one with `SinkContract` as its test (headrace.testing)."""

from collections.abc import Mapping
from typing import Protocol

from headrace.model.batch import Batch
from headrace.model.outcome import Answer


class Witness(Protocol):
    """Is told what goes over the wire in a post, where somebody looks on. What it is told holds no secret."""

    def sent(self, target: str, headers: Mapping[str, str], body: bytes) -> None:
        """*target* is the server and no more; *body* is as it was signed."""
        ...

    def answered(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """The answer came."""
        ...


class Sink(Protocol):
    """Writes batches to one destination type. One instance per destination and worker, used from one event loop."""

    async def write(self, batch: Batch) -> Answer:
        """Post *batch* once and say what it came to. Cancelling it abandons the post; raising is `Busy`."""
        ...

    async def aclose(self) -> None:
        """Release what is held. A second call does nothing."""
        ...
