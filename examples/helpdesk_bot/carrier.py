"""The carrier's tracking service: an integration that does not always answer in time."""

import random


class Carrier:
    """Says where parcels are. About one request in five runs into the time-out of two seconds.

    This one is simulated, so it says so at once instead of waiting.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def where_is(self, tracking: str) -> str:
        """Return where the parcel was seen last; raise `TimeoutError` when the carrier does not answer."""
        if self._rng.random() < 0.2:
            raise TimeoutError(f"the carrier did not answer within 2 s for parcel {tracking}")
        return self._rng.choice(("the sorting centre", "a van in your town", "the customs office"))
