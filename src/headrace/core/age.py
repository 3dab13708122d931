"""How old an event is, read from what is at hand without looking into it."""

from headrace.core.runs import Run

BEYOND = 30 * 86_400.0
"""Seconds that no event is on its way: an id that says so is no time."""


def age_of(run: Run, now: float) -> float | None:
    """Return the seconds from the time of the first event of *run* to *now*, None where nothing tells it.

    A UUIDv7 (RFC 9562), as every emitter of Headrace makes them, holds the time of the event. For other ids it is the
    time that Kafka has, or on a tier when the event first failed.
    """
    begun = _begun(run.ids[run.start])
    if begun is None or not -1.0 <= now - begun <= BEYOND:
        kind, milliseconds = run.records[run.start].timestamp()
        begun = milliseconds / 1000 if kind else None
        if run.marks:
            begun = run.marks[run.start].first_failed_at
    return None if begun is None else max(0.0, now - begun)


def _begun(id_: str) -> float | None:
    if len(id_) != 36 or id_[14] != "7" or id_[8] != "-":
        return None
    try:
        return int(id_[:8] + id_[9:13], 16) / 1000
    except ValueError:
        return None
