"""Where a page ended, as opaque text that fits into a URL."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from headrace.errors import UsageError

Number = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""An integer that a store can compare with its own."""


def write(place: Sequence[object]) -> str:
    """Return *place* as text."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read(text: str, type_: Any) -> tuple[Any, ...]:
    """Return the place that *text* was written from, a tuple of *type_*; raise `UsageError` when it is none."""
    try:
        place: tuple[Any, ...] = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=type_)
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise UsageError("this page cannot be found: begin again with the first one") from None
    return place
