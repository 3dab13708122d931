"""The watchman's room: what river and books looked like when they were last seen, and what graphs are drawn from.

May import: the ports of `headrace.broker` and `headrace.eventlog`, `headrace.wire`, `headrace.core`, `headrace.model`.
Must never: be waited for by a page, say that something is so without saying when it was seen, or know HTTP.
"""
