"""One org: its books, its graphs, its destinations, its exceptions."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import Org
from headrace.console.flow import Period, Point, Span, flow, period
from headrace.console.sources import Sources
from headrace.console.telling.summary import Summary, summary_of
from headrace.console.view import View
from headrace.console.views.destinations import DestinationLine, destination_lines
from headrace.console.watching.seen import Seen, line, seen
from headrace.core.report import Line
from headrace.eventlog.pages import ExceptionQuery, ExceptionSummary, SessionQuery

SHOWN = 8
"""Exceptions and sessions that are shown."""


class OrgAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which org, and how far back."""

    org: Org
    range: Annotated[Span, Meta(description="How far back the graphs go.")] = "1h"


class OrgPage(msgspec.Struct, frozen=True, kw_only=True):
    """*problems* are what is wrong in its books; *failed* its latest sessions with errors.

    *log_trouble* says why what the event log has is missing.
    """

    org: str
    period: Period
    books: Line | None
    points: Sequence[Point]
    destinations: Sequence[DestinationLine]
    exceptions: Sequence[ExceptionSummary]
    failed: Sequence[Summary]
    problems: Sequence[str]
    seen: Seen
    log_trouble: str = ""


def read_org(ask: OrgAsk, sources: Sources) -> OrgPage:
    """Return one org; one that nobody has heard of has empty books."""
    watched = sources.watch.latest()
    books = watched.books.of(ask.org) if watched.books else None
    failed = sources.log.find_sessions(SessionQuery(org=ask.org, errors=True, limit=SHOWN))
    asked = period(sources, ask.range)
    return OrgPage(
        org=ask.org,
        period=asked,
        books=line(watched, ask.org),
        points=flow(sources, ask.org, None, asked),
        destinations=destination_lines(sources, watched, ask.org),
        exceptions=sources.log.find_exceptions(ExceptionQuery(org=ask.org, limit=SHOWN)).rows,
        failed=[summary_of(each) for each in failed.rows],
        problems=books.problems[:SHOWN] if books else (),
        seen=seen(watched, ask.org),
    )


ORG = View(
    name="org",
    path="/orgs/{org}",
    title="Org",
    ask=OrgAsk,
    answer=OrgPage,
    read=read_org,
    outlives_log=True,
    help="One org: its books, its graphs, its destinations, and what went wrong in its conversations.",
)
