"""A spell of time that ends now, as filters offer it."""

from collections.abc import Mapping
from typing import Literal

Within = Literal["1h", "24h", "7d"]
"""How long it is."""

_SECONDS: Mapping[Within, float] = {"1h": 3_600.0, "24h": 86_400.0, "7d": 7 * 86_400.0}


def since_of(since: float | None, within: Within | None, now: float) -> float | None:
    """Return when what is asked for begins: *since*, or where the spell does if that is later."""
    if within is None:
        return since
    return max(since or 0.0, now - _SECONDS[within])
