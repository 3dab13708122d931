"""How a session is told on a page: its steps, its variables, its faults, and when each thing happened.

May import: `headrace.eventlog`'s values and its story, `headrace.broker`'s port and partitioning, `headrace.wire`,
`headrace.model`.
Must never: know who asks, read without a limit, return text that is markup or that has no end.
"""
