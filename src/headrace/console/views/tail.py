"""The live tail: events as they arrive on Kafka. The page begins with the latest; a stream brings the others."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import Org, Text
from headrace.console.sources import Sources
from headrace.console.tailing.rows import TailRow
from headrace.console.tailing.tail import Sought
from headrace.console.view import View
from headrace.console.views.session import SessionName

AT_FIRST = 100
"""Events that the page begins with."""


class TailAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which events."""

    org: Org | None = None
    session: Annotated[SessionName | None, Meta(description="Of this session only.")] = None
    type: Annotated[Text | None, Meta(description="Of this type only, such as bot.action.failed.")] = None
    errors: Annotated[bool, Meta(description="Only those that hold an error, and records that are no events.")] = False


class TailAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The latest events that were seen while somebody looked on, the latest first."""

    rows: Sequence[TailRow]


def sought(ask: TailAsk) -> Sought:
    """Return what *ask* asks the tail for."""
    return Sought(org=ask.org, session=ask.session, type=ask.type, errors=ask.errors)


def read_tail(ask: TailAsk, sources: Sources) -> TailAnswer:
    """Return what is remembered; nobody waits for Kafka here."""
    return TailAnswer(rows=sources.tail.recent(sought(ask), AT_FIRST))


TAIL = View(
    name="tail",
    path="/tail",
    title="Live tail",
    ask=TailAsk,
    answer=TailAnswer,
    read=read_tail,
    group="Conversations",
    has_stream=True,
    needs="memory",
    help="Events as they arrive; /tail/stream goes on with them as server-sent events.",
)
