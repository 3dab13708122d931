"""Kafka, behind a port of a few methods, and a memory broker that keeps the same promises.

May import: `headrace.wire`, `headrace.model`, `headrace.errors`; confluent-kafka in the `kafka*` modules alone.
Must never: know what an event is, decide about retries, let a vendor's exception out.
"""
