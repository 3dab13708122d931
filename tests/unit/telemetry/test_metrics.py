"""What a worker counts, and the catalogue of it."""

from pathlib import Path

import pytest

import headrace
from headrace.telemetry.catalogue import BY_NAME, CATALOGUE, WORKER
from headrace.telemetry.metrics import COUNTERS, GAUGES, HISTOGRAMS, Metrics

SOURCE = Path(headrace.__file__).parent
ROOMS = [path.read_text() for path in SOURCE.rglob("*.py") if path.name not in {"catalogue.py", "metrics.py"}]


def test_counters_add_up_and_peaks_begin_anew_with_each_reading() -> None:
    metrics = Metrics()
    metrics.count("events_delivered", 500)
    metrics.count("events_delivered", 1, "crm")
    metrics.peak("held_bytes", 10)
    metrics.peak("held_bytes", 3)
    metrics.observe("post_seconds", 0.25)

    first, second = metrics.read(), metrics.read()

    assert (first.counters["events_delivered"], second.counters["events_delivered"]) == (501, 501)
    assert (first.peaks["held_bytes"], second.peaks["held_bytes"]) == (10, 0)
    assert (first.peaks["post_seconds"], second.peaks["post_seconds"]) == (0.25, 0)


def test_reading_the_peaks_takes_nothing_from_a_scrape() -> None:
    metrics = Metrics()
    metrics.peak("held_bytes", 10)
    metrics.peak("held_bytes", 3)
    metrics.observe("batch_events", 500, 2)
    metrics.read()

    assert dict(metrics.gauges())["held_bytes"] == 3
    told = dict(metrics.distributions())["batch_events"]
    assert (sum(told.counts), told.total) == (2, 1000)


@pytest.mark.parametrize(("value", "bucket"), [(0.0, 0), (1.0, 0), (1.5, 1), (5.0, 1), (2500.0, 9), (9999.0, 10)])
def test_a_value_falls_under_the_first_bound_that_holds_it(value: float, bucket: int) -> None:
    metrics = Metrics()
    metrics.observe("batch_events", value)

    counts = dict(metrics.distributions())["batch_events"].counts
    assert [place for place, count in enumerate(counts) if count] == [bucket]


def test_destinations_are_told_apart_only_where_that_is_asked_for() -> None:
    whole, split = Metrics(), Metrics(by_destination=True)
    for metrics in (whole, split):
        metrics.count("events_dead", 2, "crm")
        metrics.count("events_dead", 3, "log")
        metrics.count("commits")

    assert ("events_dead", "", 5) in whole.counters()
    assert {each for each in split.counters() if each[2]} == {
        ("events_dead", "crm", 2),
        ("events_dead", "log", 3),
        ("commits", "", 1),
    }
    assert split.read().counters["events_dead"] == 5


@pytest.mark.parametrize("name", [metric.name for metric in CATALOGUE])
def test_every_metric_of_the_catalogue_is_told_somewhere(name: str) -> None:
    assert any(f'"{name}"' in room for room in ROOMS)


def test_the_catalogue_names_what_a_worker_counts() -> None:
    kinds = {metric.name: metric.kind for metric in WORKER}

    assert {name for name, kind in kinds.items() if kind == "counter"} == set(COUNTERS)
    assert {name for name, kind in kinds.items() if kind == "histogram"} == set(HISTOGRAMS)
    assert set(GAUGES) <= {name for name, kind in kinds.items() if kind == "gauge"}


def test_the_catalogue_is_as_prometheus_wants_it() -> None:
    """Names are unique, end in their unit where they have a base unit, and no org is a label."""
    assert len(BY_NAME) == len(CATALOGUE)
    for metric in CATALOGUE:
        assert metric.says.endswith("."), metric.name
        assert "org" not in (*metric.labels, *metric.optional), metric.name
        assert bool(metric.bounds) == (metric.kind == "histogram"), metric.name
        if metric.unit in {"seconds", "bytes"}:
            assert metric.name.endswith(metric.unit), metric.name
