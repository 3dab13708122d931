"""Sends a process's traces by OTLP. Where to, how many and under which name the standard OTEL_ variables say."""

import os

from headrace.errors import ConfigError


def send_traces(service: str) -> None:
    """Configure OpenTelemetry's SDK for this process, called *service* unless OTEL_SERVICE_NAME says otherwise.

    Raise `ConfigError` where the SDK is not installed. What is not sent yet goes at the end of the process.
    """
    try:
        from opentelemetry import trace  # noqa: PLC0415  the extra `otel`
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            'telemetry.traces = "otlp" needs OpenTelemetry\'s SDK: install headrace[otel], or set it to "off"'
        ) from None
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": service}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
