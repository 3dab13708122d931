"""Bytes to model and back: the envelope, the headers, the topics' names, the attempts topic's documents.

May import: `headrace.model`, msgspec.
Must never: talk to Kafka, read a clock, decide what happens to an event.
"""
