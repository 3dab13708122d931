"""Fakes, contracts and conversations for tests: Headrace's own, and those of bots and sinks that are built on it.

May import: everything but `headrace.app` and `headrace.cli`.
Must never: be imported by the rest of `src`, or pretend what the real thing does not do.
"""
