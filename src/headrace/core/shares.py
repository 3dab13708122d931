"""How the executors of one worker are shared out, so that destinations that hang cost the others nothing."""


class Shares:
    """Counts posts in flight. All may use all executors, but those that hang only a quarter, however many they are."""

    __slots__ = ("busy", "executors", "hanging", "quarter")

    def __init__(self, executors: int) -> None:
        self.executors = executors
        self.quarter = max(1, executors // 4)
        self.busy = 0
        self.hanging = 0

    def admits(self, *, suspect: bool) -> bool:
        """Tell whether one more post may start."""
        if self.busy >= self.executors:
            return False
        return not suspect or self.hanging < self.quarter

    def start(self, *, suspect: bool) -> None:
        self.busy += 1
        self.hanging += suspect

    def suspect(self) -> bool:
        """Count a post under way as hanging; True when there are now more than their quarter."""
        self.hanging += 1
        return self.hanging > self.quarter

    def end(self, *, suspect: bool) -> None:
        self.busy -= 1
        self.hanging -= suspect
