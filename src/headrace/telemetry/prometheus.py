"""Metrics as Prometheus reads them. Its client library stays here.

A bot shows its emitter's numbers beside its own with one line:

    prometheus_client.REGISTRY.register(headrace.telemetry.prometheus.EmitterCollector(emitter.stats))
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import accumulate, groupby, pairwise
from typing import Any, Protocol

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from headrace.telemetry import catalogue
from headrace.telemetry.catalogue import BY_NAME, PREFIX
from headrace.telemetry.metrics import Distribution


class Value(msgspec.Struct, frozen=True):
    """What one metric of the catalogue is now, for one choice of its labels; empty ones are left out."""

    metric: str
    value: float | Distribution
    labels: Mapping[str, str] = {}


Tell = Callable[[], Iterable[Value]]
"""Tells all values of a process, those of one metric one after the other; called by the thread that serves a scrape."""


class Exposition:
    """Renders what *tell* tells, and what the system says of the process."""

    def __init__(self, tell: Tell) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Told(tell))
        ProcessCollector(namespace="headrace", registry=self._registry)

    def render(self, accept: str) -> tuple[str, bytes]:
        """Return the content type and the body for who accepts *accept*, as its header says."""
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)


class Stats(Protocol):
    """What is read of `headrace.Stats`."""

    @property
    def taken(self) -> int: ...
    @property
    def acknowledged(self) -> int: ...
    @property
    def spilled(self) -> int: ...
    @property
    def recovered(self) -> int: ...
    @property
    def dropped(self) -> Mapping[Any, int]: ...
    @property
    def unencodable(self) -> int: ...
    @property
    def damaged(self) -> int: ...
    @property
    def in_memory(self) -> int: ...
    @property
    def in_journal(self) -> int: ...
    @property
    def queued_bytes(self) -> int: ...
    @property
    def journal_bytes(self) -> int: ...
    @property
    def journal_limit_bytes(self) -> int: ...


class EmitterCollector(Collector):
    """An emitter's numbers, for a registry of the bot's; *stats* is `emitter.stats`."""

    def __init__(self, stats: Callable[[], Stats]) -> None:
        self._stats = stats

    def describe(self) -> Iterable[Metric]:
        """Name what comes, so that registering reads nothing."""
        return [_family(metric) for metric in catalogue.EMITTER]

    def collect(self) -> Iterator[Metric]:
        yield from _families(emitter_values(self._stats()))


def emitter_values(stats: Stats) -> Iterator[Value]:
    """Yield an emitter's values."""
    yield Value("emitter_events_taken", stats.taken)
    yield Value("emitter_events_acknowledged", stats.acknowledged)
    yield Value("emitter_events_spilled", stats.spilled)
    yield Value("emitter_events_recovered", stats.recovered)
    for reason, events in stats.dropped.items():
        yield Value("emitter_events_dropped", events, {"reason": reason})
    yield Value("emitter_values_unencodable", stats.unencodable)
    yield Value("emitter_segments_damaged", stats.damaged)
    yield Value("emitter_waiting_events", stats.in_memory, {"place": "memory"})
    yield Value("emitter_waiting_events", stats.in_journal, {"place": "journal"})
    yield Value("emitter_queued_bytes", stats.queued_bytes)
    yield Value("emitter_journal_bytes", stats.journal_bytes)
    yield Value("emitter_journal_limit_bytes", stats.journal_limit_bytes)


class _Told(Collector):
    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(f"{PREFIX}build", "Which Headrace this is.", {"version": version("headrace")})
        yield from _families(self._tell())


def _families(values: Iterable[Value]) -> Iterator[Metric]:
    for name, group in groupby(values, key=lambda each: each.metric):
        family = _family(BY_NAME[name])
        for each in group:
            _add(family, each)
        yield family


def _family(metric: catalogue.Metric) -> Metric:
    name = f"{PREFIX}{metric.name}"
    kinds = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
    family: Metric = kinds[metric.kind](name, metric.says)
    return family


def _add(family: Metric, each: Value) -> None:
    labels = {name: value for name, value in each.labels.items() if value}
    if not isinstance(each.value, Distribution):
        family.add_sample(f"{family.name}_total" if family.type == "counter" else family.name, labels, each.value)
        return
    told = each.value
    reached = list(accumulate(told.counts))
    for bound, count in zip([*_written(told.bounds), "+Inf"], reached, strict=True):
        family.add_sample(f"{family.name}_bucket", labels | {"le": bound}, count)
    family.add_sample(f"{family.name}_sum", labels, told.total)
    family.add_sample(f"{family.name}_count", labels, reached[-1])


def _written(bounds: Sequence[float]) -> Sequence[str]:
    assert all(low < high for low, high in pairwise(bounds)), "bounds rise"
    return [str(float(bound)) for bound in bounds]
