"""A sink whose every post is a span."""

from headrace.model.batch import Batch
from headrace.model.outcome import Answer, Busy, Misconfigured, Refused, TooLarge
from headrace.sinks.port import Sink
from headrace.telemetry import traces
from headrace.wire.topics import TopicNames

_KINDS = {Busy: "busy", Misconfigured: "misconfigured", Refused: "refused", TooLarge: "too_large"}


class TracedSink:
    """Writes through *sink*, each time in a span that links to the trace contexts of the events."""

    def __init__(self, sink: Sink, names: TopicNames) -> None:
        self._sink = sink
        self._facts = {traces.TOPIC: names.events, traces.GROUP: names.group}

    async def write(self, batch: Batch) -> Answer:
        facts = self._facts | {traces.ORG: batch.org, traces.DESTINATION: batch.destination.name}
        with traces.post(facts, batch.values) as failed:
            answer = await self._sink.write(batch)
            if kind := _KINDS.get(type(answer)):
                failed(kind)
            return answer

    async def aclose(self) -> None:
        await self._sink.aclose()
