"""Exceptions: what threw, grouped, the last seen or the most frequent first."""

from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import After, Limit, Org, Text, Time
from headrace.console.sources import Sources
from headrace.console.telling.spell import Within, since_of
from headrace.console.view import View
from headrace.eventlog.pages import ExceptionQuery, ExceptionSummary, Order, Page, State


class ExceptionsAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which exceptions."""

    org: Org | None = None
    text: Annotated[Text, Meta(description="In its type, culprit, frame or message.")] = ""
    state: Annotated[State | None, Meta(description="Only those in this state.")] = None
    within: Annotated[
        Within | None, Meta(description="Seen within so long until now; not with `since` or `until`.")
    ] = None
    since: Annotated[Time | None, Meta(description="Seen at or after this time.")] = None
    until: Annotated[Time | None, Meta(description="First seen before this time.")] = None
    order: Annotated[Order, Meta(description="The last seen first, or those with the most events.")] = "last"
    after: After | None = None
    limit: Limit = 50


def read_exceptions(ask: ExceptionsAsk, sources: Sources) -> Page[ExceptionSummary]:
    """Return one page of exceptions."""
    return sources.log.find_exceptions(
        ExceptionQuery(
            org=ask.org,
            text=ask.text,
            state=ask.state,
            since=since_of(ask.since, ask.until, ask.within, sources.clock.wall()),
            until=ask.until,
            order=ask.order,
            after=ask.after,
            limit=ask.limit,
        )
    )


EXCEPTIONS = View(
    name="exceptions",
    path="/exceptions",
    title="Exceptions",
    ask=ExceptionsAsk,
    answer=Page[ExceptionSummary],
    read=read_exceptions,
    group="Conversations",
    help="What threw, grouped by type, place and frame.",
)
