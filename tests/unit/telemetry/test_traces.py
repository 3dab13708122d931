"""Trace contexts in events, and the links that a post makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from headrace.telemetry import traces
from headrace.telemetry.traces import LINKS

TRACE = "0af7651916cd43dd8448eb211c80319c"
FACTS = {traces.ORG: "acme", traces.DESTINATION: "crm"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """An SDK, as an application configures it."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return exporter


def value(traceparent: str) -> bytes:
    return b'{"id":"1","data":{},"traceparent":"%s"}' % traceparent.encode()


def parent(span: int, flags: str = "01") -> str:
    return f"00-{TRACE}-{span:016x}-{flags}"


def test_without_an_sdk_nothing_is_active() -> None:
    assert not traces.is_active()


def test_an_sdk_is_noticed(spans: InMemorySpanExporter) -> None:
    assert traces.is_active()
    assert traces.current() is None


def test_the_current_span_is_what_an_event_carries(spans: InMemorySpanExporter) -> None:
    with trace.get_tracer("bot").start_as_current_span("turn") as span:
        told = traces.current()

    context = span.get_span_context()
    assert told == f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
    assert context.trace_flags.sampled


def test_a_post_is_a_span_that_links_to_each_context_once(spans: InMemorySpanExporter) -> None:
    with traces.post(FACTS, [value(parent(1)), value(parent(2, "00")), value(parent(1)), b"{}"]):
        pass

    (span,) = spans.get_finished_spans()
    assert span.name == "post crm"
    assert [(link.context.span_id, link.context.trace_flags) for link in span.links] == [(1, 1), (2, 0)]
    assert all(f"{link.context.trace_id:032x}" == TRACE and link.context.is_remote for link in span.links)
    assert span.attributes is not None
    assert span.attributes["messaging.batch.message_count"] == 4
    assert span.attributes["headrace.org"] == "acme"
    assert span.status.status_code is StatusCode.UNSET


def test_a_failure_tells_its_kind_and_no_words(spans: InMemorySpanExporter) -> None:
    with traces.post(FACTS, [b"{}"]) as failed:
        failed("busy")

    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "busy"
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)


def test_links_are_bounded() -> None:
    assert len(traces.links_of([value(parent(number)) for number in range(1, 3 * LINKS)])) == LINKS


@pytest.mark.parametrize(
    "strange",
    [
        value(""),
        value("hello"),
        value(f"00-{TRACE}-0000000000000000-01"),
        value(f"00-{'0' * 32}-0000000000000001-01"),
        value(f"00-{'x' * 32}-0000000000000001-01"),
        b'{"traceparent":5}',
        b'"traceparent"',
        b'{"traceparent":"\xff"}',
        b'{"data":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-0000000000000001-01"}}',
    ],
)
def test_what_is_no_context_is_no_link(strange: bytes) -> None:
    assert traces.links_of([strange]) == []


@given(st.lists(st.binary(max_size=80).map(lambda each: b'{"traceparent"' + each), max_size=5))
def test_no_event_stops_a_post(values: list[bytes]) -> None:
    assert len(traces.links_of(values)) <= len(values)
