"""Decisions: when a batch is sealed, what is retried when, what may be committed, who may post, whether books balance.

May import: `headrace.model`. Pure and synchronous: `now` is an argument, in seconds.
Must never: await, read a clock, draw a random number, log, touch a file or a socket.
"""
