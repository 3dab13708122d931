"""The fixed set of headers of retry and dead records (design, section 3.2)."""

from collections.abc import Sequence

from headrace.model.mark import ERROR_BYTES, Mark
from headrace.model.record import Header, Origin
from headrace.wire.times import from_text, to_text

VERSION = b"1"


def encode(mark: Mark) -> list[Header]:
    """Write *mark* as headers: ASCII, of bounded size, the same set at every hop."""
    headers = [
        ("hr-version", VERSION),
        ("hr-destination", mark.destination.encode("ascii", "backslashreplace")),
        ("hr-attempts", b"%d" % mark.attempts),
        ("hr-origin", str(mark.origin).encode("ascii", "backslashreplace")),
        ("hr-first-failed-at", to_text(mark.first_failed_at).encode()),
        ("hr-due-at", to_text(mark.due_at).encode()),
        ("hr-reason", mark.reason.encode("ascii", "backslashreplace")[:ERROR_BYTES]),
        ("hr-error", mark.error.encode("ascii", "backslashreplace")[:ERROR_BYTES]),
    ]
    if mark.redriven:
        headers.append(("hr-redriven", b"1"))
    return headers


def decode(headers: Sequence[Header] | None) -> Mark:
    """Read a mark; raise `ValueError` that names the header that is missing or unreadable."""
    found = dict(headers or ())
    try:
        return Mark(
            destination=found["hr-destination"].decode(),
            origin=Origin.parse(found["hr-origin"].decode()),
            attempts=int(found["hr-attempts"]),
            first_failed_at=from_text(found["hr-first-failed-at"].decode()),
            due_at=from_text(found["hr-due-at"].decode()),
            reason=found["hr-reason"].decode(),
            error=found.get("hr-error", b"").decode(errors="replace"),
            redriven=found.get("hr-redriven") == b"1",
        )
    except KeyError as missing:
        raise ValueError(f"the header {missing.args[0]} is missing") from None
    except (ValueError, AttributeError, TypeError) as error:  # a header of Kafka's may hold null
        raise ValueError(f"a header cannot be read: {error}") from None
