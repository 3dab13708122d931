"""How the lanes of one destination do, counted when somebody asks."""

from headrace.core.lanes import Lane


class Census:
    """Counts lanes."""

    __slots__ = ("events", "lanes", "parked", "paused", "posts")

    def __init__(self) -> None:
        self.lanes = self.parked = self.paused = self.events = self.posts = 0

    def add(self, lane: Lane, now: float) -> None:
        """Count one more, as it is at *now*."""
        self.lanes += 1
        self.parked += lane.pace.parked_at is not None or now < lane.pace.shut_until
        self.paused += lane.pace.is_paused
        self.events += lane.events
        self.posts += lane.posts
