"""Sessions: the conversations of an org or of all, the last begun first."""

from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import After, Limit, Org, Text, Time
from headrace.console.sources import Sources
from headrace.console.telling.spell import Within, since_of
from headrace.console.telling.summary import Summary, summary_of
from headrace.console.view import View
from headrace.eventlog.pages import Page, SessionQuery


class SessionsAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions."""

    org: Org | None = None
    text: Annotated[
        Text, Meta(description="In its name, user or bot, or the type, culprit or message of its first error.")
    ] = ""
    bot: Annotated[Text | None, Meta(description="Only those of this bot.")] = None
    errors: Annotated[bool, Meta(description="Only those with errors.")] = False
    end_type: Annotated[Text | None, Meta(description="Only those that ended so.")] = None
    open: Annotated[bool, Meta(description="Only those that have not ended.")] = False
    within: Annotated[
        Within | None, Meta(description="Begun within so long until now; not with `since` or `until`.")
    ] = None
    since: Annotated[Time | None, Meta(description="Begun at or after this time.")] = None
    until: Annotated[Time | None, Meta(description="Begun before this time.")] = None
    after: After | None = None
    limit: Limit = 50


def read_sessions(ask: SessionsAsk, sources: Sources) -> Page[Summary]:
    """Return one page of sessions."""
    page = sources.log.find_sessions(
        SessionQuery(
            org=ask.org,
            text=ask.text,
            bot=ask.bot,
            errors=ask.errors,
            end_type="" if ask.open else ask.end_type,
            since=since_of(ask.since, ask.until, ask.within, sources.clock.wall()),
            until=ask.until,
            after=ask.after,
            limit=ask.limit,
        )
    )
    return Page(rows=[summary_of(each) for each in page.rows], next=page.next)


SESSIONS = View(
    name="sessions",
    path="/sessions",
    title="Sessions",
    ask=SessionsAsk,
    answer=Page[Summary],
    read=read_sessions,
    rows=lambda answer: answer,
    group="Conversations",
    help="Conversations, the last begun first.",
)
