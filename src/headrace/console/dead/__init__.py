"""Dead letters: what the console remembers of the dead topic, and the jobs that put letters back.

May import: `headrace.broker.port`, `headrace.wire`, `headrace.model`, `headrace.console.viewer`.
Must never: know HTTP, keep a letter's value in memory, or put a letter back twice for one job.
"""
