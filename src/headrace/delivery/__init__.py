"""Delivery: the worker. One owner thread polls, groups, settles and commits; one event loop seals and posts.

An event's way, file by file: `owner` polls, `intake` checks and groups, `dispatcher` keeps the lanes and seals,
`posting` writes through a sink and halves, `settler` moves what failed, writes tiles and commits.
May import: `headrace.core`, `headrace.wire`, `headrace.telemetry`, `headrace.model`, the ports of brokers and sinks.
Must never: import an adapter or another service, touch the consumer from any thread but its owner, commit past an
event that is not delivered, or acknowledged by a retry topic or the dead topic.
"""
