"""Retries as people see them: their settings, the dead letters, and the way back from there.

May import: `headrace.broker.port`, `headrace.wire`, `headrace.core`, `headrace.model`, `headrace.errors`.
Must never: post to a destination, join the consumer group, import another service.
"""
