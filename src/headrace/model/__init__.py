"""Words: the frozen values that every other room speaks with.

May import: nothing of Headrace but `headrace.errors`, and msgspec.
Must never: decide, read a clock, touch a socket or a file.
"""
