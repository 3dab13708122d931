"""Dead letters: counted by error, org or destination over time, and one by one, the last that died first."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headrace.console.dead.book import Memory, page
from headrace.console.dead.letters import LetterRow, Wanted
from headrace.console.dead.pivot import By, Pivot
from headrace.console.fields import After, Limit, Org, Text, Time
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.eventlog.pages import Page
from headrace.model.mark import DeadReason

Kind = Annotated[str, Meta(max_length=200, description="With errors of this kind, as `kind` of a letter says it.")]
Reason = Annotated[DeadReason | None, Meta(description="Only those that died for this reason.")]


class DeadAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters, and how they are counted."""

    org: Org | None = None
    by: Annotated[By, Meta(description="What the rows of the count are.")] = "error"
    state: Annotated[
        Literal["open", "redriven", "all"], Meta(description="Only those that are open, or that were redriven.")
    ] = "open"
    destination: Annotated[Text | None, Meta(description="Only those for this destination; - are those for none.")] = (
        None
    )
    reason: Reason = None
    kind: Kind | None = None
    text: Annotated[
        Text, Meta(description="In the error, or the name of its event, type, session, org or destination.")
    ] = ""
    since: Annotated[Time | None, Meta(description="Died at or after this time.")] = None
    until: Annotated[Time | None, Meta(description="Died before this time.")] = None
    after: After | None = None
    limit: Limit = 50


class DeadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The letters that were asked for, counted and one by one; and how far the console knows them."""

    pivot: Pivot
    letters: Page[LetterRow]
    memory: Memory


def read_dead(ask: DeadAsk, sources: Sources) -> DeadAnswer:
    """Return the count, and one page of letters."""
    book = sources.letters
    asked = {field: getattr(ask, field) for field in ("org", "destination", "reason", "kind", "text", "since", "until")}
    wanted = Wanted(**asked, state=None if ask.state == "all" else ask.state)
    return DeadAnswer(
        pivot=book.pivot(wanted, ask.by, sources.clock.wall()),
        letters=page(book, book.find(wanted), ask.after, ask.limit),
        memory=book.memory,
    )


DEAD = View(
    name="dead",
    path="/dead",
    title="Dead letters",
    ask=DeadAsk,
    answer=DeadAnswer,
    read=read_dead,
    rows=lambda answer: answer.letters,
    group="Trouble",
    needs="memory",
    help="What no destination took, by error, time and org.",
)
