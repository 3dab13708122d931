"""The days of an event log in PostgreSQL: each has a partition of its own, so that a day is forgotten at once."""

from collections.abc import Iterable
from datetime import UTC, datetime

from headrace.eventlog.postgres_connection import LOCK, Connection, exists

DAY = 86_400
UNDATED = -(1 << 31)
"""The day of events that tell no time: what stands in its place is another time when they come again."""

PAST, FUTURE = 62, 1
"""Days around today that get a partition of their own. Events of others, however wrong their clock, share the rest."""


DROP_TIMEOUT = 2
"""Seconds that dropping a day waits for those who read."""


def make_days(connection: Connection, days: Iterable[int], known: set[int], now: float) -> None:
    """Make partitions for *days* as far as they are worth one, and note them in *known*."""
    today = int(now // DAY)
    for day in sorted(set(days) - known):
        if today - PAST <= day <= today + FUTURE:
            _make(connection, day)
        known.add(day)


def drop_day(connection: Connection, before: float) -> tuple[int, bool]:
    """Drop the first partition that ends before *before*.

    Return about how many events were in it, as the server's statistics have it, and whether no more of them are left.
    """
    found = connection.execute(
        "SELECT c.relname, greatest(c.reltuples, 0)::bigint FROM pg_inherits AS i "
        "JOIN pg_class AS c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = 'event'::regclass AND c.relname <> 'event_rest' ORDER BY c.relname"
    ).fetchall()
    old = [(name, events) for name, events in found if _end_of(name) <= before]
    if not old:
        return 0, True
    name, events = old[0]
    # It waits for whoever reads any event, and behind it waits who would read or write one: not for long, then.
    connection.execute(f"SET LOCAL lock_timeout = '{DROP_TIMEOUT}s'")
    connection.execute(f"DROP TABLE {name}")
    return events, len(old) == 1


def _end_of(name: str) -> float:
    return datetime.strptime(name, "event_%Y%m%d").replace(tzinfo=UTC).timestamp() + DAY


def _make(connection: Connection, day: int) -> None:
    """Make one partition, and move there what the rest holds of its day."""
    name = datetime.fromtimestamp(day * DAY, UTC).strftime("event_%Y%m%d")
    if exists(connection, name):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if exists(connection, name):
            return
        connection.execute(f"CREATE TABLE {name} (LIKE event INCLUDING ALL)")
        moved = f"DELETE FROM event_rest WHERE day = {day} RETURNING *"  # noqa: S608  a number
        connection.execute(f"WITH moved AS ({moved}) INSERT INTO {name} SELECT * FROM moved")  # noqa: S608
        connection.execute(f"ALTER TABLE event ATTACH PARTITION {name} FOR VALUES FROM ({day}) TO ({day + 1})")
