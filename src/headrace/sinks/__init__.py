"""Sinks: each writes batches to one type of destination.

May import: `headrace.wire`, `headrace.model`, `headrace.telemetry`, `headrace.errors`; aiohttp in `sinks.http` alone.
Must never: retry, wait between posts, know Kafka, keep an event after `write` returned.
"""
