"""Reads pages of exceptions, and of what they hit, from either store."""

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.eventlog import cursor, pages
from headrace.eventlog.choosing import Where
from headrace.eventlog.pages import (
    NEW_FOR,
    STATES,
    ExceptionQuery,
    ExceptionSummary,
    Hit,
    HitQuery,
    Order,
    OrgHit,
    Page,
)
from headrace.eventlog.tables import Tables

_URGENCY = """
    CASE WHEN ignored = 1 THEN 0
         WHEN resolved_at IS NULL THEN CASE WHEN first_at > ? THEN 3 ELSE 2 END
         WHEN last_at <= resolved_at THEN 1 ELSE 4 END
"""
"""The place of a state in `STATES`; see `headrace.eventlog.pages.state_of`."""

_GROUPED = """
    SELECT fingerprint, max(type) AS type, max(culprit) AS culprit, max(frame) AS frame, max(urgency) AS urgency,
        sum(count) AS count, sum(sessions) AS sessions, count(*) AS orgs,
        min(first_at) AS first_at, max(last_at) AS last_at, max({column}) AS height
    FROM (SELECT *, {urgency} AS urgency FROM exception {near}) AS each_org GROUP BY fingerprint
"""
_Place = tuple[float, str]
"""When a group was seen last, and its fingerprint."""

_Count = tuple[cursor.Number, str]
"""How many events a group has, and its fingerprint."""

_COLUMNS: Mapping[Order, str] = {"last": "last_at", "events": "count"}
_SEEN = "SELECT {column}, fingerprint FROM exception {seen} ORDER BY {column} DESC, fingerprint DESC LIMIT ?"
_LATEST = """
    SELECT fingerprint, origin, message, stack, org, last_session, last_id, changed_by, changed_at
    FROM (
        SELECT *, row_number() OVER (PARTITION BY fingerprint ORDER BY last_rank DESC, org) AS place
        FROM exception {near}
    ) AS ranked WHERE place = 1
"""
_ORGS = "SELECT org, count, sessions, first_at, last_at FROM exception {near} ORDER BY count DESC, org LIMIT ?"
_SEARCHED = ("type", "culprit", "frame", "message")


_HITS = """
    SELECT h.org, h.session, h.count, h.first_at, h.last_at, s.bot, s.version
    FROM (SELECT * FROM hit {near} ORDER BY last_at DESC, org DESC, session DESC LIMIT ?) AS h
        LEFT JOIN session AS s ON s.org = h.org AND s.session = h.session
    ORDER BY h.last_at DESC, h.org DESC, h.session DESC
"""


def find_exceptions(tables: Tables, query: ExceptionQuery, now: float) -> Page[ExceptionSummary]:
    """Return one page of groups: those of the first `SCAN` rows that an index finds, each with all its rows."""
    column = _COLUMNS[query.order]
    begin, after = _places(query)
    near, far = Where(), Where()
    seen, last = _seen(tables, query, begin)
    near.add_given("org = ?", query.org)
    chosen = _SEEN.format(column=column, seen=seen)
    near.add(f"fingerprint IN (SELECT fingerprint FROM ({chosen}) AS seen)", *seen.parameters, pages.SCAN)  # noqa: S608
    near.add_text(_SEARCHED, query.text)
    far.add_given("last_at >= ?", query.since)
    far.add_given("first_at < ?", query.until)
    if query.state is not None:
        far.add("urgency = ?", STATES.index(query.state))
    if begin is not None:
        far.add("(height, fingerprint) < (?, ?)", *begin)
    if last is not None:
        far.add("(height, fingerprint) >= (?, ?)", *last)
    if after is not None:
        far.add(f"({column}, fingerprint) < (?, ?)", *after)
    found = tables.run(
        f"SELECT * FROM ({_GROUPED.format(column=column, urgency=_URGENCY, near=near)}) AS grouped {far} "  # noqa: S608
        f"ORDER BY {column} DESC, fingerprint DESC LIMIT ?",
        [now - NEW_FOR, *near.parameters, *far.parameters, query.limit + 1],
    )
    following = None if last is None else _following(query.order, last, None)
    if len(found) > query.limit:
        found = found[: query.limit]
        following = _following(query.order, begin, found[-1])
    latest = _latest(tables, query.org, [each[0] for each in found])
    return Page(rows=[_group(each[:-1], latest[each[0]]) for each in found], next=following)


def _places(query: ExceptionQuery) -> tuple[_Place | None, _Place | None]:
    """Return after which rows those of the page begin, and after which of their groups the page does.

    Seen last these are one: a group stands where its latest row does. Its events are those of all its rows, so it
    belongs to the rows around its largest one, and stands among their groups.
    """
    if query.after is None:
        return None, None
    if query.order == "events":
        return cursor.read(query.after, tuple[_Count | None, _Count | None])
    place = cursor.read(query.after, _Place)
    return place, place


def _following(order: Order, begin: _Place | None, found: tuple[Any, ...] | None) -> str:
    """Write where the next page begins: after the group *found*, or without one after the row *begin*."""
    if order == "events":
        return cursor.write((begin, None if found is None else (int(found[5]), found[0])))
    return cursor.write((found[9], found[0]) if found is not None else begin or ())


def _seen(tables: Tables, query: ExceptionQuery, begin: _Place | None) -> tuple[Where, _Place | None]:
    """Return what chooses the rows that may begin a group, and the place of the last of them if there may be more.

    A group stands where its latest or largest row does, so one that comes after a place has that row after it.
    """
    column = _COLUMNS[query.order]
    seen = Where()
    seen.add_given("org = ?", query.org)
    seen.add_given("fingerprint = ?", query.fingerprint)
    if query.order == "last":
        seen.add_given("last_at >= ?", query.since)
    if begin is not None:
        seen.add(f"({column}, fingerprint) < (?, ?)", *begin)
    chosen = _SEEN.format(column=column, seen=seen)
    found = tables.run(f"{chosen} OFFSET ?", [*seen.parameters, 1, pages.SCAN - 1])
    return seen, (found[0][0], found[0][1]) if found else None


def find_hits(tables: Tables, query: HitQuery) -> Page[Hit]:
    """Return one page of the sessions that an exception hit."""
    near = Where()
    near.add("fingerprint = ?", query.fingerprint)
    near.add_given("org = ?", query.org)
    if query.after is not None:
        near.add("(last_at, org, session) < (?, ?, ?)", *cursor.read(query.after, tuple[float, str, str]))
    found = tables.run(_HITS.format(near=near), [*near.parameters, query.limit + 1])
    rows = [
        Hit(org=org, session=session, count=count, first_at=first, last_at=last, bot=bot or "", version=version or "")
        for org, session, count, first, last, bot, version in found[: query.limit]
    ]
    following = cursor.write((rows[-1].last_at, rows[-1].org, rows[-1].session)) if len(found) > query.limit else None
    return Page(rows=rows, next=following)


def hit_orgs(tables: Tables, org: str | None, fingerprint: str, limit: int) -> Sequence[OrgHit]:
    """Return the orgs that an exception hit, those with the most events first."""
    near = Where()
    near.add("fingerprint = ?", fingerprint)
    near.add_given("org = ?", org)
    return [
        OrgHit(org=org, count=count, sessions=sessions, first_at=first, last_at=last)
        for org, count, sessions, first, last in tables.run(_ORGS.format(near=near), [*near.parameters, limit])
    ]


def _latest(tables: Tables, org: str | None, fingerprints: list[str]) -> dict[str, tuple[object, ...]]:
    """Return by fingerprint what its latest event told, and the last decision."""
    if not fingerprints:
        return {}
    near = Where()
    near.add(f"fingerprint IN ({', '.join('?' * len(fingerprints))})", *fingerprints)
    near.add_given("org = ?", org)
    return {first: rest for first, *rest in tables.run(_LATEST.format(near=near), near.parameters)}  # type: ignore[misc]


def _group(sums: tuple[object, ...], latest: tuple[object, ...]) -> ExceptionSummary:
    names = ("fingerprint", "type", "culprit", "frame", "state", "count", "sessions", "orgs", "first_at", "last_at")
    told = dict(zip(names, sums, strict=True))
    examples = ("origin", "message", "stack", "last_org", "last_session", "last_id", "changed_by", "changed_at")
    told |= dict(zip(examples, latest, strict=True))
    told["state"] = STATES[sums[4]]  # type: ignore[call-overload]
    told["count"], told["sessions"] = int(sums[5]), int(sums[6])  # type: ignore[call-overload]  # PostgreSQL sums decimals
    return ExceptionSummary(**told)  # type: ignore[arg-type]
