"""The event log: every event of every org once, told by session, by exception, and as counters for graphs.

May import: `headrace.model`, `headrace.core`, `headrace.wire`, `headrace.clock`, `headrace.errors`; sqlite3 in
`eventlog.sqlite*` and psycopg in `eventlog.postgres*` alone.
Must never: know Kafka or a sink's lane, change an event's bytes, answer for one org with another's events.
"""
