"""What a page says of what it shows: when it was seen, where the books were closed, and why it may be old."""

import msgspec

from headrace.console.watching.watch import Watched
from headrace.core.positions import Positions
from headrace.core.report import Line, Report, enter


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """When river and books were seen, in seconds since the epoch; None before the first time.

    *positions* are where the books were closed, for operators: `headrace audit --at` closes them there again.
    *trouble* is a sentence where what is shown is older than it should be, or is not there.
    """

    river_at: float | None = None
    books_at: float | None = None
    books_seconds: float | None = None
    positions: Positions = {}
    trouble: str = ""


def seen(watched: Watched, org: str | None) -> Seen:
    """Say of *watched* what a page for *org* (None: everybody) has to say."""
    books, river = watched.books, watched.river
    return Seen(
        river_at=river.at if river else None,
        books_at=books.at if books else None,
        books_seconds=round(books.seconds, 3) if books else None,
        positions=books.positions if books and org is None else {},
        trouble=_trouble(watched, org),
    )


def line(watched: Watched, org: str | None, destination: str | None = None) -> Line | None:
    """Return the columns of *org* (None: all), at *destination* (None: all); None before the books were closed."""
    books = watched.books
    if books is None:
        return None
    if destination is None:
        return _line(books.whole) if org is None else books.whole.orgs.get(org) or Line()
    if org is None:
        return books.whole.destinations.get(destination) or Line()
    return enter(Line(), books.cell(org, destination))


def _line(document: Report) -> Line:
    return Line(**{name: getattr(document, name) for name in Line.__struct_fields__})


def _trouble(watched: Watched, org: str | None) -> str:
    why = watched.trouble or watched.books_trouble
    if not why:
        return ""
    # What Kafka said names servers and topics, which are nobody's business but an operator's.
    told = why if org is None else "Kafka does not answer"
    if watched.river is None and watched.books is None:
        return f"Nothing could be seen of the river yet: {told}"
    return f"What is shown is what was seen last: {told}"
