"""Control: what people decide about a river while it runs, kept in Kafka, where every worker and console hears of it.

May import: `headrace.broker.port`, `headrace.wire`, `headrace.core`, `headrace.model`, `headrace.errors`.
Must never: import another service, decide anything itself, keep what was decided anywhere but in the control topic.
"""
