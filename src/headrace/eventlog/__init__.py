"""The event log: every event of every org once, to be read by session, by type, or by what failed.

May import: `headrace.model`, `headrace.wire`, `headrace.clock`, `headrace.errors`; sqlite3 in `eventlog.sqlite` alone.
Must never: know Kafka or a sink's lane, change an event's bytes, answer for one org with another's events.
"""
