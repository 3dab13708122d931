"""Settings: from text in a file or a variable to the frozen structs that the rooms declare, and back to a page.

May import: `headrace.model`, `headrace.errors`, msgspec.
Must never: know which rooms there are, log a value, show a secret.
"""
