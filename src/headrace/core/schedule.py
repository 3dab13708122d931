"""Which tier an event goes to, and when it is given up (design, section 3.3)."""

from collections.abc import Sequence
from itertools import pairwise

from headrace.model.mark import Mark
from headrace.model.units import Duration


class RetrySchedule:
    """The predefined intervals, ascending, and the age at which an event becomes a dead letter."""

    def __init__(self, tiers: Sequence[Duration], give_up_after: Duration) -> None:
        if not tiers or any(a >= b for a, b in pairwise(tiers)):
            raise ValueError("retry tiers must be ascending, and at least one")
        self.tiers = tuple(tiers)
        self.give_up_after = give_up_after

    @property
    def first(self) -> Duration:
        return self.tiers[0]

    def after(self, attempts: int) -> Duration:
        """Return the tier after so many posts; the last one repeats."""
        return self.tiers[min(max(attempts, 1), len(self.tiers)) - 1]

    def within(self, span: float) -> Duration:
        """Return the longest tier that is not longer than *span* seconds, at least the first.

        So lateness stays in proportion to an outage, and its backlog is rewritten seldom.
        """
        return max((tier for tier in self.tiers if tier <= span), default=self.tiers[0])

    def gives_up(self, first_failed_at: float, now: float) -> bool:
        """Tell whether an event that first failed or hopped at *first_failed_at* has had its time."""
        return now - first_failed_at >= self.give_up_after

    def move(
        self, mark: Mark | None, posts: int, delay: Duration | None, now: float, *, paused: bool = False
    ) -> Duration | None:
        """Return the tier for an event that was not taken, or None when it is given up.

        *mark* is what is known of it, None for an event of the main topic; *posts* how often it was just posted;
        *delay* the tier while its destination is parked, without which the number of attempts says which. A
        destination that a person *paused* does not give up. Whoever asks with the same *now* hears the same.
        """
        if mark is not None and not paused and self.gives_up(mark.first_failed_at, now):
            return None
        return delay or self.after((mark.attempts if mark is not None else 0) + posts)
