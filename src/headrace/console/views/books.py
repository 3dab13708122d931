"""The books: the audit as the console made it last, with the positions at which `headrace audit` repeats it."""

import msgspec

from headrace.console.fields import Org
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.watching.seen import Seen, seen
from headrace.core.report import Report
from headrace.errors import BrokerUnavailable


class BooksAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Whose books."""

    org: Org | None = None


class Books(Report, kw_only=True):
    """The document of `headrace audit --json`, and when it was seen."""

    seen: Seen


def read_books(ask: BooksAsk, sources: Sources) -> Books:
    """Return the latest books; raise `BrokerUnavailable` before they were closed for the first time."""
    watched = sources.watch.latest()
    if watched.books is None:
        why = seen(watched, ask.org).trouble or "the console has just been started; ask again in some seconds"
        raise BrokerUnavailable(f"the books have not been closed yet: {why}")
    document = watched.books.of(ask.org)
    fields = {name: getattr(document, name) for name in Report.__struct_fields__}
    told = msgspec.structs.replace(seen(watched, ask.org), positions={})
    return Books(**fields, seen=told)


BOOKS = View(
    name="books",
    path="/books",
    title="Books",
    ask=BooksAsk,
    answer=Books,
    read=read_books,
    needs="memory",
    help="What was accepted, and what became of it: the columns of `headrace audit`, with its positions.",
)
