"""The SQL of the embedded event log.

Writing is done by a handful of statements over whole sets, not by one per row: `sqlite3` gives up the interpreter
lock at each step, and a thread that wants it back waits up to 5 ms for it in a busy process. Row by row a busy
worker stored 340 events per second, like this 8,800.
"""

from headrace.eventlog.port import EventQuery
from headrace.eventlog.row import Row
from headrace.model.taxonomy import SessionEnded, TurnStarted

INCOMING = f"CREATE TEMP TABLE incoming ({', '.join(Row._fields)})"
"""What one transaction is about to store; it lives in memory, and belongs to one connection."""

ROWS_PER_STATEMENT = 500
"""Times the columns, this stays far below SQLite's 32,766 parameters."""

_PARAMETERS = f"({', '.join('?' * len(Row._fields))})"


def stage(rows: int) -> str:
    """Write so many rows into `incoming`."""
    return f"INSERT INTO incoming VALUES {', '.join([_PARAMETERS] * rows)}"  # noqa: S608  only question marks


LAST_EVENT = "SELECT coalesce(max(n), 0) FROM event"

STORE = (
    """
    INSERT INTO source (source)
    SELECT DISTINCT source FROM incoming WHERE true ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO session (org, session, source)
    SELECT org, session, source FROM incoming WHERE true ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO event (id, source, session, seq, at, type, failed, value)
    SELECT i.id, source.n, session.n, i.seq, i.at, i.type, i.failed, i.value
    FROM incoming AS i
        CROSS JOIN source ON source.source = i.source
        CROSS JOIN session ON session.org = i.org AND session.session = i.session
    WHERE true ON CONFLICT DO NOTHING
    """,
    "DELETE FROM incoming",
)
"""From `incoming` to the tables. CROSS JOIN keeps the order of the joins, and so that of arrival."""

# NOT INDEXED keeps the planner from reading all of event_session for the sake of its order.
SUM_UP = """
    UPDATE session SET
        first_at = min(coalesce(session.first_at, new.first_at), new.first_at),
        last_at = max(coalesce(session.last_at, new.last_at), new.last_at),
        events = session.events + new.events,
        errors = session.errors + new.errors
    FROM (
        SELECT session, min(at) AS first_at, max(at) AS last_at, count(*) AS events, sum(failed) AS errors
        FROM event NOT INDEXED WHERE n > ? GROUP BY session
    ) AS new
    WHERE session.n = new.session
"""
"""Adds the events behind a number, and only those, to their sessions: an event that came again counts once."""

SESSIONS = f"""
    SELECT s.org, s.session, s.source, s.first_at, s.last_at, s.events, s.errors,
        (SELECT count(*) FROM event AS e WHERE e.session = s.n AND e.type = '{TurnStarted.type}'),
        (SELECT value FROM event AS e WHERE s.errors > 0 AND e.session = s.n AND e.failed
            ORDER BY e.seq IS NULL, e.seq, e.at, e.n LIMIT 1),
        (SELECT value FROM event AS e WHERE e.session = s.n AND e.type = '{SessionEnded.type}'
            ORDER BY e.n DESC LIMIT 1)
    FROM session AS s
    WHERE s.org = ? AND s.events > 0
    ORDER BY s.first_at DESC, s.n DESC LIMIT ?
"""  # noqa: S608  constants of this package


def select_events(query: EventQuery) -> tuple[str, tuple[str | int, ...]]:
    """Return the statement that answers *query*, and its parameters."""
    wheres, parameters = ["s.org = ?"], [query.org]
    if query.session is not None:
        wheres.append("s.session = ?")
        parameters.append(query.session)
    if query.type is not None:
        wheres.append("e.type = ?")
        parameters.append(query.type)
    if query.failed:
        wheres.append("s.errors > 0 AND e.failed")
    order = "e.n DESC" if query.session is None else "e.seq IS NULL, e.seq, e.at, e.n"
    # The rows are sorted by number first and read afterwards, so that values do not pass through the sorter.
    statement = f"""
        SELECT o.org, o.session, v.seq, v.at, v.type, v.failed, v.value
        FROM (
            SELECT e.n AS n FROM session AS s CROSS JOIN event AS e ON e.session = s.n
            WHERE {" AND ".join(wheres)} ORDER BY {order} LIMIT ?
        ) AS found
            CROSS JOIN event AS v ON v.n = found.n
            CROSS JOIN session AS o ON o.n = v.session
    """  # noqa: S608  every value is a parameter
    return statement, (*parameters, query.limit)
