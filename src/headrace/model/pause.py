"""A person's decision that a destination gets no posts for now."""

import msgspec


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """*destination* is paused for *org*, or for every org when that is None. *at* is in seconds since the epoch."""

    destination: str
    org: str | None = None
    by: str = ""
    at: float = 0.0
    why: str = ""

    @property
    def name(self) -> str:
        """What it is about, for people and as a key: `destination` or `destination/org`."""
        return self.destination if self.org is None else f"{self.destination}/{self.org}"
