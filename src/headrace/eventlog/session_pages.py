"""Reads pages of sessions from either store."""

from collections.abc import Sequence
from typing import Any

import msgspec

from headrace.eventlog import cursor, pages
from headrace.eventlog.choosing import Where
from headrace.eventlog.fold import TEXT
from headrace.eventlog.pages import SCAN, Page, SessionQuery
from headrace.eventlog.port import SessionSummary
from headrace.eventlog.tables import Tables

_SUMMARY = {
    "org": "org",
    "session": "session",
    "source": "source",
    "first_at": "first_at",
    "last_at": "last_at",
    "events": "events",
    "errors": "errors",
    "turns": "turns",
    "bot": "bot",
    "version": "version",
    "channel": "channel",
    "language": "language",
    "user": "person",
    "ended_at": "ended_at",
    "end_type": "end_type",
    "error_fingerprint": "fingerprint",
    "error_type": "error_type",
    "error_culprit": "error_culprit",
    "error_message": "error_message",
    "error_at": "error_at",
}
_POINTERS = ("error_source", "error_id", "error_at", "end_source", "end_id", "ended_at")
_COLUMNS = ", ".join(("n", *_SUMMARY.values(), *_POINTERS))
_SEARCHED = ("session", "person", "bot", "error_type", "error_culprit", "error_message")


OF_PERSON = "person = ? AND person <> ''"
"""Finds a user's sessions, given an org; the second half is what the index knows."""


def find_sessions(tables: Tables, query: SessionQuery) -> Page[SessionSummary]:
    """Return one page. What an index cannot answer is looked for among the first `SCAN` that it finds."""
    near, far = Where(), Where()
    near.add_given("org = ?", query.org)
    near.add_given("session = ?", query.session)
    if query.user is not None:
        near.add(OF_PERSON, query.user[:TEXT])
    near.add_given("first_at >= ?", query.since)
    near.add_given("first_at < ?", query.until)
    if query.errors:
        near.add("errors > 0")
    if query.after is not None:
        near.add("(first_at, n) < (?, ?)", *cursor.read(query.after, tuple[float, cursor.Number]))
    far.add_given("bot = ?", query.bot)
    if query.end_type is not None:
        far.add("end_type = ? AND ended_at IS NOT NULL" if query.end_type else "end_type = ? AND ended_at IS NULL",
                query.end_type)  # fmt: skip
    far.add_text(_SEARCHED, query.text)
    order = "ORDER BY first_at DESC, n DESC"
    most = SCAN if far else query.limit + 1
    found = tables.run(
        f"SELECT {_COLUMNS} FROM (SELECT * FROM session {near} {order} LIMIT ?) AS near {far} {order} LIMIT ?",  # noqa: S608
        [*near.parameters, most, *far.parameters, query.limit + 1],
    )
    following = None
    if len(found) > query.limit:
        found = found[: query.limit]
        following = cursor.write((found[-1][_PLACE], found[-1][0]))
    elif far:
        rest = tables.run(
            f"SELECT first_at, n FROM session {near} {order} LIMIT 1 OFFSET ?",  # noqa: S608
            [*near.parameters, SCAN - 1],
        )
        following = cursor.write(rest[0]) if rest else None
    return Page(rows=_summaries(tables, found, with_values=query.values), next=following)


def missing(tables: Tables, org: str, session: str) -> int | None:
    """Return how many `seq` of a session are not there; None where it has too many events to look through."""
    ((events,),) = tables.run(
        "SELECT coalesce(max(events), 0) FROM session WHERE org = ? AND session = ?", (org, session)
    )
    return tables.missing(org, session) if events <= pages.COUNTED else None


_PLACE = 1 + list(_SUMMARY).index("first_at")


def _summaries(tables: Tables, found: Sequence[tuple[Any, ...]], *, with_values: bool) -> list[SessionSummary]:
    split = 1 + len(_SUMMARY)
    pointers = [(each[split : split + 3], each[split + 3 : split + 6]) for each in found]
    wanted = [pointer for pair in pointers for pointer in pair if with_values and pointer[2] is not None]
    read = tables.values(wanted) if wanted else {}
    summaries = []
    for each, (error, end) in zip(found, pointers, strict=True):
        told = dict(zip(_SUMMARY, each[1:split], strict=True))
        summaries.append(SessionSummary(**told, first_error=read.get(error[:2]), end=read.get(end[:2])))
    return summaries


def as_summary(whole: object, read: dict[tuple[str, str], bytes]) -> SessionSummary:
    """Return the summary of a `SessionSum`."""
    told = {name: getattr(whole, column) for name, column in _SUMMARY.items()}
    source, id_, _, end_source, end_id, _ = (getattr(whole, column) for column in _POINTERS)
    return msgspec.structs.replace(
        SessionSummary(**told), first_error=read.get((source, id_)), end=read.get((end_source, end_id))
    )
