"""Deletes from either store: what a person erases, and what is old enough."""

from collections.abc import Iterable

from headrace.eventlog.erasure import session_digest, user_digest
from headrace.eventlog.fold import TEXT, ExceptionSum, fold
from headrace.eventlog.merging import NEVER_LAST
from headrace.eventlog.session_pages import OF_PERSON
from headrace.eventlog.tables import Tables
from headrace.eventlog.upkeep import Action, Erased, Expired, Tombstone

_ONE = "WHERE org = ? AND fingerprint = ?"
_EXAMPLE = ("last_rank", "origin", "message", "stack", "last_session", "last_id")
_LOOKED_THROUGH = 10
"""Sessions that are searched for another example."""

_DECISIONS = {
    "resolve": "ignored = 0, resolved_at = CASE WHEN last_at > ? THEN last_at ELSE ? END",
    "ignore": "ignored = 1, resolved_at = NULL",
    "reopen": "ignored = 0, resolved_at = NULL",
}


PORTION = 2000
"""Sessions that are let go in one transaction, so that who writes does not wait for long."""

EVENTS = 20_000
"""Events, or counters, that are let go in one transaction."""

OLD = "FROM session WHERE first_at < ? AND last_at < ? ORDER BY first_at, n LIMIT ?"
"""Chooses them: the time *before* which, twice, and how many."""

_COUNTER = "step, org, at, destination"


def decide(tables: Tables, org: str | None, fingerprint: str, action: Action, by: str, now: float) -> int:
    """Note what a person decided about an exception."""
    mine, whose = ("", []) if org is None else (" AND org = ?", [org])
    moment = [now, now] if action == "resolve" else []
    return tables.change(
        f"UPDATE exception SET {_DECISIONS[action]}, changed_at = ?, changed_by = ? WHERE fingerprint = ?{mine}",  # noqa: S608
        [*moment, now, by, fingerprint, *whose],
    )


def erase(tables: Tables, sessions: Iterable[tuple[str, str]], now: float) -> Erased:
    """Delete *sessions*, and put a tombstone where each was or would be."""
    gone = events = 0
    for org, session in sorted(sessions):
        digest = session_digest(org, session)
        tables.change("INSERT INTO tombstone (digest, at) VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, now))
        events += tables.delete_events(org, session)
        gone += tables.change("DELETE FROM session WHERE org = ? AND session = ?", (org, session))
        _take_from_exceptions(tables, org, session)
    return Erased(sessions=gone, events=events)


def erase_user(tables: Tables, org: str, user: str, now: float) -> Erased:
    """Delete every session of *user*, and remember until when theirs are to be left out."""
    tables.change(
        "INSERT INTO tombstone (digest, at) VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET at = excluded.at",
        (user_digest(org, user), now),
    )
    found = tables.run(f"SELECT org, session FROM session WHERE org = ? AND {OF_PERSON}", (org, user[:TEXT]))  # noqa: S608
    return erase(tables, [(whose, session) for whose, session in found], now)


def tombstone(tables: Tables, org: str, session: str) -> Tombstone | None:
    """Return a session's tombstone, if there is one."""
    found = tables.run("SELECT at, late FROM tombstone WHERE digest = ?", (session_digest(org, session),))
    return Tombstone(at=found[0][0], late=found[0][1]) if found else None


def expire(tables: Tables, before: float) -> Expired:
    """Delete a portion of what is older than *before*. A session keeps its sums, an exception its counts.

    Sessions go after their events, so that none of those is left without one.
    """
    events, is_all = tables.expire_events(before)
    if not is_all:
        return Expired(sessions=0, events=events, is_all=False)
    old = (before, before, PORTION)
    tables.change(f"DELETE FROM hit WHERE (org, session) IN (SELECT org, session {OLD})", old)  # noqa: S608
    sessions = tables.change(f"DELETE FROM session WHERE n IN (SELECT n {OLD})", old)  # noqa: S608
    tables.change("DELETE FROM exception WHERE last_at < ?", (before,))
    counters = sum(_expire_counters(tables, step, before) for step in (60, 3600))
    return Expired(sessions=sessions, events=events, is_all=sessions < PORTION and counters < EVENTS)


def _expire_counters(tables: Tables, step: int, before: float) -> int:
    old = f"SELECT {_COUNTER} FROM counter WHERE step = ? AND at < ? LIMIT ?"  # noqa: S608
    return tables.change(
        f"DELETE FROM counter WHERE ({_COUNTER}) IN ({old})",  # noqa: S608
        (step, int(before), EVENTS),
    )


def _take_from_exceptions(tables: Tables, org: str, session: str) -> None:
    hits = tables.run("DELETE FROM hit WHERE org = ? AND session = ? RETURNING fingerprint, count", (org, session))
    for fingerprint, count in sorted(hits):
        key = (org, fingerprint)
        tables.change(
            f"UPDATE exception SET count = count - ?, sessions = sessions - 1 {_ONE}",  # noqa: S608
            (count, *key),
        )
        ((left, first, last),) = tables.run(f"SELECT sum(count), min(first_at), max(last_at) FROM hit {_ONE}", key)  # noqa: S608
        if left is None:
            # Retention takes hits and leaves their count: an exception without a hit may still have happened.
            tables.change(f"DELETE FROM exception {_ONE} AND count <= 0", key)  # noqa: S608
            continue
        # Where the hits add up to less than the count, retention took others, and the first may be among them.
        tables.change(
            f"UPDATE exception SET first_at = CASE WHEN count > ? THEN first_at ELSE ? END, last_at = ? {_ONE}",  # noqa: S608
            (left, first, last, *key),
        )
    shown = "SELECT fingerprint FROM exception WHERE org = ? AND last_session = ? ORDER BY fingerprint"
    for (fingerprint,) in tables.run(shown, (org, session)):
        _find_example(tables, org, fingerprint)


def _find_example(tables: Tables, org: str, fingerprint: str) -> None:
    """Take the latest example that is left."""
    key = (org, fingerprint)
    others = tables.run(f"SELECT session FROM hit {_ONE} ORDER BY last_at DESC LIMIT {_LOOKED_THROUGH}", key)  # noqa: S608
    sums = (fold(tables.failures(org, other)).exceptions.get(key) for (other,) in others)
    nothing = ExceptionSum(
        org=org, fingerprint=fingerprint, type="", culprit="", frame="", first_at=0.0, last_at=0.0, last_rank=NEVER_LAST
    )
    best = max((each for each in sums if each), key=lambda each: each.last_rank, default=nothing)
    sets = ", ".join(f"{column} = ?" for column in _EXAMPLE)
    tables.change(
        f"UPDATE exception SET {sets} {_ONE}",  # noqa: S608
        (*(getattr(best, column) for column in _EXAMPLE), *key),
    )
