"""The ledger: reads what Kafka holds of the river and closes its books, per org and destination (design, 3.5).

May import: `headrace.broker.port`, `headrace.wire`, `headrace.core`, `headrace.model`, `headrace.errors`.
Must never: write anything anywhere, join the consumer group, import another service.
"""
