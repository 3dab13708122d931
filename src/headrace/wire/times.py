"""RFC 3339 in UTC with milliseconds, as headers and documents carry it."""

from datetime import UTC, datetime


def to_text(at: float) -> str:
    """Write *at*, seconds since the epoch, as `2026-11-23T10:00:00.123Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> float:
    """Read RFC 3339; raise `ValueError` when it is not, or names no offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset")
    return at.timestamp()
