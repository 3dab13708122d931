"""The catalogue as a page for people."""

from collections.abc import Iterator, Mapping

from headrace.telemetry.catalogue import CATALOGUE, Metric, Teller

_INTRODUCTION = """\
# Metrics

What Prometheus reads of Headrace. A worker has its metrics at `/metrics` of `telemetry.metrics_port`, which is off
until it is set; of `headrace deliver --workers N` the first worker has that port, and each other the next. The console
has them at `/metrics` beside its pages, for operators and for its own machine.

No metric has an org as a label: there are thousands of them, and the console has every org's numbers. A label in
brackets is there only with `telemetry.by_destination`. Counters begin at zero with their process; what balances is the
audit. Beside these there are `headrace_build_info` and what the system says of the process, as `headrace_process_…`.

`deploy/grafana/headrace.json` is a dashboard of all this, and `deploy/prometheus/alerts.yml` has alert rules;
`headrace metrics --grafana` and `--rules` print them. The console raises the same alerts by itself, see `[alerts]` in
[the configuration](configuration.md#alerts). `make docs` makes this page and both files from the code.

## Health

Beside `/metrics`, workers and the console have `/livez` and `/readyz`: 200 or 503, and JSON with each check. A worker
is alive when its owner thread turned within 30 s and its event loop answers; only a restart helps one that is not. It
is ready when Kafka answers and partitions are assigned to it. A console is ready when it sees the river and keeps the
event log.

## Traces

A bot whose application has configured OpenTelemetry needs nothing more: each event takes the context of the span in
which it is emitted along, as `traceparent`. A worker with `telemetry.traces = "otlp"` (and `headrace[otel]` installed)
makes a span of every post, linked to the contexts of up to 32 of its events; the standard `OTEL_` variables say where
they are sent. An emit has no span of its own: it would cost several times as much as the emit.
"""

_HEADINGS: Mapping[Teller, str] = {
    "worker": "## Workers\n",
    "console": "## The console\n",
    "emitter": """\
## Bots

A bot that serves its own metrics with prometheus-client shows its emitter's with one line:

```python
prometheus_client.REGISTRY.register(headrace.telemetry.prometheus.EmitterCollector(emitter.stats))
```
""",
}


def reference() -> Iterator[str]:
    """Yield the lines of the page."""
    yield _INTRODUCTION
    for number, (teller, heading) in enumerate(_HEADINGS.items()):
        if number:
            yield ""
        yield heading
        yield "| metric | type | unit | labels | says |"
        yield "|---|---|---|---|---|"
        for metric in CATALOGUE:
            if metric.teller == teller:
                yield _line(metric)


def _line(metric: Metric) -> str:
    labels = [*(f"`{name}`" for name in metric.labels), *(f"[`{name}`]" for name in metric.optional)]
    return f"| `{metric.exposed}` | {metric.kind} | {metric.unit} | {', '.join(labels)} | {metric.says} |"
