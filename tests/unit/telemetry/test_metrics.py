"""The metric catalogue."""

from pathlib import Path

import pytest

import headrace
from headrace.telemetry.metrics import COUNTERS, PEAKS, Metrics

SOURCE = Path(headrace.__file__).parent


def test_counters_add_up_and_peaks_begin_anew_with_each_reading() -> None:
    metrics = Metrics()
    metrics.count("events_delivered", 500)
    metrics.count("events_delivered")
    metrics.peak("held_bytes", 10)
    metrics.peak("held_bytes", 3)

    first, second = metrics.read(), metrics.read()

    assert (first.counters["events_delivered"], second.counters["events_delivered"]) == (501, 501)
    assert (first.peaks["held_bytes"], second.peaks["held_bytes"]) == (10, 0)


@pytest.mark.parametrize("name", [*COUNTERS, *PEAKS])
def test_every_metric_of_the_catalogue_is_counted_somewhere(name: str) -> None:
    rooms = [path for path in SOURCE.rglob("*.py") if path.name != "metrics.py"]

    assert any(f'"{name}"' in path.read_text() for path in rooms)
