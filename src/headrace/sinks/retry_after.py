"""The `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date."""

from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST = 366 * 86_400.0
"""What asks for more is read as this, so that no arithmetic with it can overflow."""


def read_retry_after(text: str | None, now: float) -> float | None:
    """Return how many seconds from *now* (since the epoch) are asked for.

    None when nothing is asked for: no header, an unreadable one, no time at all, or a time that has passed.
    """
    if text is None:
        return None
    text = text.strip()
    wait = float(text) if text.isascii() and text.isdigit() else _until(text, now)
    return min(wait, LONGEST) if wait > 0 else None


def _until(text: str, now: float) -> float:
    try:
        at = parsedate_to_datetime(text)
        # A date without a zone is the obsolete asctime form, which means UTC.
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
