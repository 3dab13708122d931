"""The emitter: takes a bot's events at once and sends them to Kafka in the background, by way of a journal if need be.

May import: `headrace.broker.port` and `.partitioning`, `headrace.wire`, `headrace.model`, `headrace.errors`.
Must never: block or raise in `emit` for what happens outside the process, grow beyond its memory, lose what it took
without counting it.
"""
