"""The alarm: what is wrong by what was seen last, and whom that is told.

May import: `headrace.console.watching`, and what `headrace.console` may.
Must never: ask Kafka or the event log by itself, tell the same thing twice while it lasts, or stop because nobody takes
what it tells.
"""
