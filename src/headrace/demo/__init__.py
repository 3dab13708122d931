"""The demo: everything on one machine, with real parts, for a newcomer's first minutes.

May import: `headrace.app` and what it assembles, `headrace.localkafka`, and, alone in the package, `headrace.testing`,
whose simulated orgs play the customers' servers.
Must never: be needed by anything else, or show what the real commands could not.
"""
