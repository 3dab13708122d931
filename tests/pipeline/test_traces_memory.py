"""A trace from a bot's span to the post of its events: a real emitter and a real worker over the memory broker."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from headrace.broker.memory import MemoryBroker
from headrace.clock import SystemClock
from headrace.core.schedule import RetrySchedule
from headrace.delivery.crew import Plan
from headrace.delivery.settings import DeliverySettings
from headrace.delivery.worker import Worker
from headrace.emitter.emitter import Emitter
from headrace.emitter.settings import EmitterSettings
from headrace.model.destination import Destination
from headrace.model.topic import TopicState
from headrace.model.units import Duration
from headrace.sinks.memory import MemorySink
from headrace.wire.topics import TopicNames

NAMES = TopicNames()
SCHEDULE = RetrySchedule([Duration(0.1)], Duration(30))
CRM = Destination(name="crm", type="memory", settings=msgspec.Struct())


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return exporter


@pytest.fixture
def broker() -> MemoryBroker:
    broker = MemoryBroker()
    for topic in (NAMES.events, NAMES.dead, NAMES.attempts, NAMES.retry(SCHEDULE.tiers[0])):
        broker.admin().create(TopicState(name=topic, partitions=1, replication=1))
    return broker


@contextmanager
def working(broker: MemoryBroker, sink: MemorySink) -> Iterator[None]:
    worker = Worker(
        Plan(
            max_record_bytes=64 << 20,
            settings=DeliverySettings(),
            schedule=SCHEDULE,
            names=NAMES,
            broker=broker,
            routes=lambda org: [CRM],
            destinations={"crm": CRM},
            sinks={"crm": sink},
            clock=SystemClock(),
        )
    )
    thread = threading.Thread(target=lambda: asyncio.run(worker.run()))
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join(30)


def posts(spans: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name.startswith("post ")]


def deliver(broker: MemoryBroker, tmp_path: Path, events: int) -> MemorySink:
    """Emit *events*, each in a span of its own, and deliver them."""
    sink = MemorySink()
    emitter = Emitter(broker, topic=NAMES.events, settings=EmitterSettings(journal_dir=str(tmp_path)))
    with emitter.session(org="acme", bot="b", session="s") as log:
        for number in range(events):
            with trace.get_tracer("bot").start_as_current_span(f"turn {number}"):
                log.emit("bot.turn.started")
    assert emitter.flush(5) == 0
    with working(broker, sink):
        deadline = time.monotonic() + 20
        while len(sink.stored) < events and time.monotonic() < deadline:
            time.sleep(0.01)
    emitter.close()
    assert len(sink.stored) == events
    return sink


def test_a_post_links_to_the_spans_in_which_its_events_were_emitted(
    spans: InMemorySpanExporter, broker: MemoryBroker, tmp_path: Path
) -> None:
    deliver(broker, tmp_path, 3)

    turns = {span.context.span_id for span in spans.get_finished_spans() if span.name.startswith("turn ")}
    linked = {link.context.span_id for span in posts(spans) for link in span.links}
    assert linked == turns
    assert len(turns) == 3
    attributes = posts(spans)[0].attributes
    assert attributes is not None
    assert attributes["messaging.destination.name"] == NAMES.events
    assert attributes["messaging.consumer.group.name"] == NAMES.group


def test_without_an_sdk_events_carry_no_context(broker: MemoryBroker, tmp_path: Path) -> None:
    sink = deliver(broker, tmp_path, 2)

    assert all(b"traceparent" not in value for value in sink.stored)


def test_a_session_s_own_context_goes_before_the_current_one(
    spans: InMemorySpanExporter, broker: MemoryBroker, tmp_path: Path
) -> None:
    own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    emitter = Emitter(broker, topic=NAMES.events, settings=EmitterSettings(journal_dir=str(tmp_path)))
    with trace.get_tracer("bot").start_as_current_span("turn"):
        emitter.session(org="acme", bot="b", session="s", traceparent=own).emit("bot.turn.started")
    assert emitter.flush(5) == 0
    emitter.close()
    sink = MemorySink()
    with working(broker, sink):
        deadline = time.monotonic() + 20
        while not sink.stored and time.monotonic() < deadline:
            time.sleep(0.01)

    assert msgspec.json.decode(sink.stored[0])["traceparent"] == own
