"""The SQL of the embedded event log that is about events; the rest is common to both stores.

Writing is done by a handful of statements over whole sets, not by one per row: `sqlite3` gives up the interpreter
lock at each step, and a thread that wants it back waits up to 5 ms for it in a busy process. Row by row a busy
worker stored 340 events per second, like this 8,800.
"""

from collections.abc import Iterator

from headrace.eventlog.choosing import Where
from headrace.eventlog.event_pages import parts_of
from headrace.eventlog.port import EventQuery

STAGED = ("place", "id", "source", "org", "session", "seq", "at", "type", "failed", "value")

INCOMING = f"CREATE TEMP TABLE incoming ({', '.join(STAGED)})"
"""What one transaction is about to store; it lives in memory, and belongs to one connection."""

ROWS_PER_STATEMENT = 500
"""Times the columns, this stays far below SQLite's 32,766 parameters."""

REPEATED = """
    SELECT group_concat(i.place) FROM incoming AS i
        CROSS JOIN source ON source.source = i.source
        CROSS JOIN event ON event.id = i.id AND event.source = source.n
"""
"""The places of those that are there already, as one text: one row, and so one step."""

SOURCES = "INSERT INTO source (source) SELECT DISTINCT source FROM incoming WHERE true ON CONFLICT DO NOTHING"

# CROSS JOIN keeps the order of the joins, and so that of arrival.
EVENTS = """
    INSERT INTO event (id, source, session, seq, at, type, failed, value)
    SELECT i.id, source.n, session.n, i.seq, i.at, i.type, i.failed, i.value
    FROM incoming AS i
        CROSS JOIN source ON source.source = i.source
        CROSS JOIN session ON session.org = i.org AND session.session = i.session
"""

FORGET = "DELETE FROM incoming"

_ROW = "e.id, o.source, s.org, s.session, e.seq, e.at, e.type, e.failed, e.value"
"""The fields of a `Row`."""

STORED = f"""
    SELECT e.n, {_ROW} FROM event AS e
        CROSS JOIN source AS o ON o.n = e.source
        CROSS JOIN session AS s ON s.n = e.session
    WHERE e.n > ? ORDER BY e.n LIMIT ?
"""  # noqa: S608  constants of this file

NUMBER = "SELECT n FROM session WHERE org = ? AND session = ?"

FAILURES = f"""
    SELECT {_ROW} FROM session AS s
        CROSS JOIN event AS e ON e.session = s.n
        CROSS JOIN source AS o ON o.n = e.source
    WHERE s.org = ? AND s.session = ? AND e.failed
"""  # noqa: S608


MISSING = """
    SELECT coalesce(max(e.seq) - count(DISTINCT e.seq) + 1, 0)
    FROM session AS s CROSS JOIN event AS e ON e.session = s.n
    WHERE s.org = ? AND s.session = ? AND e.seq >= 0
"""


def select_values(wanted: str) -> str:
    """Return the statement that reads the events that *wanted*, a `VALUES` of sources and ids, names."""
    return f"""
        WITH wanted (source, id) AS ({wanted})
        SELECT w.source, w.id, e.value FROM wanted AS w
            CROSS JOIN source AS o ON o.source = w.source
            CROSS JOIN event AS e ON e.id = w.id AND e.source = o.n
    """  # noqa: S608


def selects_of_session(query: EventQuery, session: int) -> Iterator[tuple[str, list[object]]]:
    """Return the statements that read one page of the session of that number, one after the other."""
    for where, order in parts_of(query, "o.source"):
        # An id finds its event at once; else the session's index has the order.
        where.add("e.session = ?" if query.id is None else "+e.session = ?", session)
        yield _select("event AS e CROSS JOIN source AS o ON o.n = e.source", where, order, query)


def select_of_org(query: EventQuery) -> tuple[str, list[object]]:
    """Return the statement that reads the latest events of an org, and its parameters."""
    where = Where()
    where.add("s.org = ?", query.org)
    where.add_given("e.type = ?", query.type)
    where.add_given("e.id = ?", query.id)
    where.add_given("(e.seq IS NULL OR e.seq >= ?)", query.seq_from)
    where.add_given("e.seq <= ?", query.seq_to)
    if query.failed:
        where.add("s.errors > 0 AND e.failed")
    order = "ORDER BY s.first_at DESC, s.n DESC, e.seq IS NULL DESC, e.seq DESC, e.at DESC, e.id DESC"
    return _select("session AS s CROSS JOIN event AS e ON e.session = s.n", where, order, query)


def _select(tables: str, where: Where, order: str, query: EventQuery) -> tuple[str, list[object]]:
    # The rows are sorted by number first and read afterwards, so that values do not pass through the sorter.
    statement = f"""
        SELECT o.org, o.session, v.seq, v.at, v.type, v.failed, {"v.value" if query.values else "x''"}, v.id, w.source
        FROM (SELECT e.n AS n FROM {tables} {where} {order} LIMIT ?) AS found
            CROSS JOIN event AS v ON v.n = found.n
            CROSS JOIN session AS o ON o.n = v.session
            CROSS JOIN source AS w ON w.n = v.source
    """  # noqa: S608  every value is a parameter
    return statement, [*where.parameters, query.limit + 1]
