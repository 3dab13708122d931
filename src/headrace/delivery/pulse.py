"""What an owner thread says of itself as it goes, for whoever looks after the worker."""


class Pulse:
    """Written by the owner thread, read by any. Times are monotonic, in seconds.

    *trouble* is why Kafka did not answer the last time that it was asked.
    """

    __slots__ = ("answered_at", "is_draining", "partitions", "polled_at", "trouble", "turned_at")

    def __init__(self, now: float) -> None:
        self.turned_at = now
        self.polled_at = now
        self.answered_at: float | None = None
        self.trouble = ""
        self.partitions = 0
        self.is_draining = False
