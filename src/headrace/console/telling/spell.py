"""A spell of time that ends now, as filters offer it."""

from collections.abc import Mapping
from typing import Literal

Within = Literal["1h", "24h", "7d"]
"""How long it is."""

_SECONDS: Mapping[Within, float] = {"1h": 3_600.0, "24h": 86_400.0, "7d": 7 * 86_400.0}


def since_of(since: float | None, until: float | None, within: Within | None, now: float) -> float | None:
    """Return when what is asked for begins. Where *since* or *until* is given the spell is not looked at: a form that
    has both sends both, and who fills in a window means that.
    """
    if within is None or (since, until) != (None, None):
        return since
    return now - _SECONDS[within]
