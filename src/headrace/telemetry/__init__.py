"""Telemetry: what Headrace tells of itself beside its results: logs, metrics, health, traces.

May import: `headrace.model`, `headrace.errors`, structlog, msgspec; the clients of Prometheus and OpenTelemetry stay
here. A module that a bot imports loads neither.
Must never: decide, block, show a secret or an event's content, tell orgs apart by a label.
"""
