"""Traces by OpenTelemetry, whose API does nothing until an application configures an SDK.

An emit takes the trace context that is current into the event's `traceparent`; it makes no span of its own, which would
cost several times as much as the emit. A post is a span with links to the contexts of its events. OpenTelemetry is
imported by none but who uses it already, or is asked to send traces.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from opentelemetry.trace import Link

LINKS = 32
"""Contexts that one span is linked to, at most."""

# OpenTelemetry's semantic conventions for messaging, and what is our own.
SYSTEM = "messaging.system"
OPERATION = "messaging.operation.name"
OPERATION_TYPE = "messaging.operation.type"
TOPIC = "messaging.destination.name"
GROUP = "messaging.consumer.group.name"
BATCH = "messaging.batch.message_count"
ERROR = "error.type"
ORG = "headrace.org"
DESTINATION = "headrace.destination"

_SCOPE = "headrace"
_KEY = b'"traceparent"'


class _Traced(msgspec.Struct):
    traceparent: str = ""


_decode = msgspec.json.Decoder(_Traced).decode


def is_active() -> bool:
    """Tell whether this process has an SDK that takes spans."""
    api = sys.modules.get("opentelemetry.trace")
    return api is not None and not isinstance(
        api.get_tracer_provider(), api.ProxyTracerProvider | api.NoOpTracerProvider
    )


def current() -> str | None:
    """Return the current span's context as a `traceparent` (W3C Trace Context); None when there is no span."""
    from opentelemetry.trace import get_current_span  # noqa: PLC0415  who calls this has imported it

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def links_of(values: Sequence[bytes]) -> "list[Link]":
    """Return links to the contexts that events carry, each once and the first `LINKS` of them."""
    from opentelemetry.trace import Link, SpanContext, TraceFlags  # noqa: PLC0415

    found: dict[str, Link] = {}
    for value in values:
        traceparent = _traceparent(value)
        if traceparent in found or (parts := _parse(traceparent)) is None:
            continue
        found[traceparent] = Link(SpanContext(parts[0], parts[1], is_remote=True, trace_flags=TraceFlags(parts[2])))
        if len(found) == LINKS:
            break
    return list(found.values())


@contextmanager
def post(facts: Mapping[str, str | int], values: Sequence[bytes]) -> Iterator[Callable[[str], None]]:
    """Open a span for one post of *values*, with *facts* as its attributes; call what it yields when the post failed.

    Of a failure only the kind is told: a destination's words can hold what is an org's.
    """
    from opentelemetry.trace import SpanKind, Status, StatusCode, get_tracer  # noqa: PLC0415

    name = f"post {facts[DESTINATION]}"
    attributes: dict[str, str | int] = {
        SYSTEM: "kafka",
        OPERATION: "post",
        OPERATION_TYPE: "process",
        BATCH: len(values),
        **facts,
    }
    with get_tracer(_SCOPE).start_as_current_span(
        name, kind=SpanKind.CONSUMER, attributes=attributes, links=links_of(values), record_exception=False
    ) as span:

        def failed(kind: str) -> None:
            span.set_attribute(ERROR, kind)
            span.set_status(Status(StatusCode.ERROR))

        yield failed


def _traceparent(value: bytes) -> str:
    if _KEY not in value:
        return ""
    try:
        return _decode(value).traceparent
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _parse(traceparent: str) -> tuple[int, int, int] | None:
    """Read `version-trace-span-flags`; None when it is none, for which a strange event is no reason to stop."""
    parts = traceparent.split("-")
    if len(parts) < 4 or [len(part) for part in parts[:4]] != [2, 32, 16, 2]:
        return None
    try:
        numbers = [int(part, 16) for part in parts[:4]]
    except ValueError:
        return None
    return (numbers[1], numbers[2], numbers[3]) if numbers[1] and numbers[2] else None
