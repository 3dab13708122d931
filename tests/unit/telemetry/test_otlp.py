"""Sending traces where the SDK is not installed, and where it is."""

import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from headrace.errors import ConfigError
from headrace.telemetry.otlp import send_traces


def test_without_the_extra_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(ConfigError, match=r"install headrace\[otel\]"):
        send_traces("headrace-worker")


@pytest.mark.parametrize(("given", "named"), [(None, "headrace-worker"), ("eu-workers", "eu-workers")])
def test_the_process_has_the_name_that_operators_gave_it(
    given: str | None, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    if given:
        monkeypatch.setenv("OTEL_SERVICE_NAME", given)
    providers: list[TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", providers.append)

    send_traces("headrace-worker")

    (provider,) = providers
    provider.shutdown()
    assert provider.resource.attributes["service.name"] == named
