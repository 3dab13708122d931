"""Metrics as Prometheus reads them, through the parser of its own client."""

from collections.abc import Iterable

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from headrace.emitter.tally import Stats
from headrace.telemetry.catalogue import BY_NAME, EMITTER
from headrace.telemetry.metrics import Distribution
from headrace.telemetry.prometheus import EmitterCollector, Exposition, Value

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str, *, openmetrics: bool = False) -> Samples:
    families = parse_openmetrics(text) if openmetrics else parse(text)  # type: ignore[no-untyped-call]
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def rendered(values: Iterable[Value], accept: str = "") -> str:
    return Exposition(lambda: values).render(accept)[1].decode()


def test_counters_gauges_and_histograms_are_read_back() -> None:
    text = rendered(
        [
            Value("events_dead", 5, {"destination": "crm"}),
            Value("events_dead", 2, {"destination": ""}),
            Value("lanes", 7),
            Value("batch_events", Distribution((1.0, 500.0), (3, 4, 1), 2600.0)),
        ]
    )

    found = samples(text)
    assert found["headrace_events_dead_total", frozenset({("destination", "crm")})] == 5
    assert found["headrace_events_dead_total", frozenset()] == 2
    assert found["headrace_lanes", frozenset()] == 7
    assert found["headrace_batch_events_bucket", frozenset({("le", "1.0")})] == 3
    assert found["headrace_batch_events_bucket", frozenset({("le", "500.0")})] == 7
    assert found["headrace_batch_events_bucket", frozenset({("le", "+Inf")})] == 8
    assert found["headrace_batch_events_count", frozenset()] == 8
    assert found["headrace_batch_events_sum", frozenset()] == 2600
    assert f"# HELP headrace_lanes {BY_NAME['lanes'].says}" in text


def test_who_accepts_openmetrics_gets_it() -> None:
    content_type, body = Exposition(lambda: [Value("posts", 3)]).render("application/openmetrics-text; version=1.0.0")

    assert content_type.startswith("application/openmetrics-text")
    assert samples(body.decode(), openmetrics=True)["headrace_posts_total", frozenset()] == 3


def test_a_label_s_value_may_be_anything() -> None:
    hostile = 'a"b\\c\nd{}'

    found = samples(rendered([Value("lag_records", 1, {"topic": hostile})]))

    assert found["headrace_lag_records", frozenset({("topic", hostile)})] == 1


def test_the_process_and_the_build_are_told() -> None:
    found = {name for name, _ in samples(rendered([]))}

    assert "headrace_build_info" in found
    assert "headrace_process_cpu_seconds_total" in found


def test_an_emitter_stands_in_a_registry_of_the_bot() -> None:
    stats = Stats(
        taken=10,
        acknowledged=4,
        in_memory=1,
        in_journal=2,
        spilled=2,
        dropped={"journal_full": 3},
        queued_bytes=700,
        journal_bytes=1000,
        journal_limit_bytes=4000,
    )
    registry = CollectorRegistry()
    registry.register(EmitterCollector(lambda: stats))

    assert registry.get_sample_value("headrace_emitter_events_taken_total") == 10
    assert registry.get_sample_value("headrace_emitter_events_dropped_total", {"reason": "journal_full"}) == 3
    assert registry.get_sample_value("headrace_emitter_waiting_events", {"place": "journal"}) == 2
    assert registry.get_sample_value("headrace_emitter_journal_bytes") == 1000
    told = {each.name for family in registry.collect() for each in family.samples}
    assert told == {metric.exposed for metric in EMITTER}


def test_two_emitters_in_one_registry_are_refused_at_once() -> None:
    registry = CollectorRegistry()
    registry.register(EmitterCollector(Stats))

    with pytest.raises(ValueError, match="Duplicated"):
        registry.register(EmitterCollector(Stats))
