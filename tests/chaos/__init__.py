"""Chaos on real parts: three brokers, workers, bots and org servers, hurt after a seeded schedule, and a checker.

May import: `headrace.localkafka`, `headrace.testing` and, in the processes that play a part, what a user of it imports.
Must never: let the checker (`checker`, `records` and what they import) know more of Headrace than its public formats.
"""
