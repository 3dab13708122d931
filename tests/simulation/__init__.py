"""Simulation: whole workers on a model of Kafka and of the orgs, in virtual time, by a seeded scheduler.

What runs is the real delivery code; what is played is everything around it: clocks, threads, brokers, orgs, faults.
A schedule is a plain value (`script`) made from a seed, so that a run that fails can be shrunk and replayed.
May import: `headrace`. Must never: use a thread, a real clock or real I/O, or look inside a worker to judge it.
"""
