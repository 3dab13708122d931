"""Sessions: the conversations of an org or of all, the last begun first."""

from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import After, Limit, Org, Text, Time
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.eventlog.pages import Page, SessionQuery
from headrace.eventlog.port import SessionSummary


class SessionsAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions."""

    org: Org | None = None
    text: Annotated[
        Text, Meta(description="In its name, user or bot, or the type, culprit or message of its first error.")
    ] = ""
    bot: Text | None = None
    errors: Annotated[bool, Meta(description="Only those with errors.")] = False
    end_type: Annotated[Text | None, Meta(description="Only those that ended so.")] = None
    open: Annotated[bool, Meta(description="Only those that have not ended.")] = False
    since: Annotated[Time | None, Meta(description="Begun at or after this time.")] = None
    until: Annotated[Time | None, Meta(description="Begun before this time.")] = None
    after: After | None = None
    limit: Limit = 50


def read_sessions(ask: SessionsAsk, sources: Sources) -> Page[SessionSummary]:
    """Return one page of sessions."""
    asked = msgspec.structs.asdict(ask)
    if asked.pop("open"):
        asked["end_type"] = ""
    return sources.log.find_sessions(SessionQuery(**asked))


SESSIONS = View(
    name="sessions",
    path="/sessions",
    title="Sessions",
    ask=SessionsAsk,
    answer=Page[SessionSummary],
    read=read_sessions,
    group="Conversations",
    help="Conversations, the last begun first.",
)
