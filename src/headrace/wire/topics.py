"""The names of the topics, and of the one consumer group (design, section 3.2)."""

import msgspec

from headrace.model.units import Duration


class TopicNames(msgspec.Struct, frozen=True):
    """All names that follow from one prefix."""

    prefix: str = ""

    @property
    def events(self) -> str:
        return f"{self.prefix}headrace.events"

    @property
    def dead(self) -> str:
        return f"{self.prefix}headrace.dead"

    @property
    def attempts(self) -> str:
        return f"{self.prefix}headrace.attempts"

    @property
    def control(self) -> str:
        """What people decide while the river runs; compacted, and made when it is first needed."""
        return f"{self.prefix}headrace.control"

    @property
    def group(self) -> str:
        """The consumer group of every worker, in every mode."""
        return f"{self.prefix}headrace.deliver"

    def retry(self, delay: Duration) -> str:
        """Name the topic of the tier with *delay*."""
        return f"{self.prefix}headrace.retry.{delay}"

    def delay_of(self, topic: str) -> Duration | None:
        """Read a retry topic's delay back from its name; None when *topic* is no retry topic of this prefix."""
        tier = self.tier_of(topic)
        if tier is None:
            return None
        try:
            return Duration.parse(tier)
        except ValueError:
            return None

    def tier_of(self, topic: str) -> str | None:
        """Return what a retry topic's name says of its delay, as it is written; None for any other topic."""
        head = f"{self.prefix}headrace.retry."
        return topic.removeprefix(head) if topic.startswith(head) else None
