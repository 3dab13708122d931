"""Orgs: which destinations there are, and which of them each org's events go to.

May import: `headrace.wire`, `headrace.model`, `headrace.errors`.
Must never: read a file, know what a sink does, change what is in force.
"""
