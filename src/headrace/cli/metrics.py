"""`headrace metrics`: what Prometheus reads, and what to make of it."""

from pathlib import Path

import msgspec

from headrace.cli.output import emit_document
from headrace.errors import UsageError
from headrace.telemetry import pages
from headrace.telemetry.catalogue import CATALOGUE
from headrace.telemetry.dashboard import dashboard
from headrace.telemetry.rules import rules as rule_lines


def metrics(
    *,
    grafana: bool = False,
    rules: bool = False,
    config: Path | None = None,  # noqa: ARG001
    json: bool = False,
) -> int:
    """Print the reference of every metric, a Grafana dashboard, or alert rules for Prometheus.

    Example: headrace metrics --grafana > headrace.json

    Parameters
    ----------
    grafana
        Print the dashboard, as Grafana imports it.
    rules
        Print the alert rules, as Prometheus loads them.
    config
        Taken as by every command; nothing in it changes the reference.
    json
        Print one JSON document.
    """
    if grafana and rules:
        raise UsageError("--grafana and --rules are two files; ask for one of them")
    if grafana:
        text = msgspec.json.format(msgspec.json.encode(dashboard())).decode()
    else:
        text = "\n".join(rule_lines() if rules else pages.reference())
    emit_document(dashboard() if grafana else {"metrics": CATALOGUE}, text, json=json)
    return 0
