"""The live tail: one reader of the events topic, whatever the number of people who look on.

May import: `headrace.broker.port`, `headrace.wire`, `headrace.model`, `headrace.console.viewer`.
Must never: know HTTP, wait for a reader who is slow, or hold more than a bounded number of updates for one.
"""
