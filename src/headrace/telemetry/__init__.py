"""Telemetry: what Headrace tells of itself beside its results. So far: logs.

May import: `headrace.model`, structlog, msgspec.
Must never: decide, block, show a secret or an event's content.
"""
