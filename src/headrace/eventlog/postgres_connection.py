"""Connects to the PostgreSQL of an event log: its schema, and what its failures mean."""

from importlib.resources import files
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headrace.errors import StoreError
from headrace.eventlog import postgres_text

SCHEMA = "headrace"
"""The tables stand in a schema of their own, beside whatever else the database holds."""

CONNECT_TIMEOUT = 5
"""Seconds that a server may take to answer a connection."""

LINK = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""Ends a connection on which nothing comes back any more after about a minute, unless the URL says otherwise."""

LOCK = 0x68726C67
"""The key of the advisory lock ("hrlg"): who stores events shares it, who migrates, erases or expires has it alone."""

_SETTINGS = {
    "search_path": SCHEMA,
    "application_name": "headrace",
    "statement_timeout": "60s",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "client_encoding": "UTF8",
}

Connection = psycopg.Connection[tuple[Any, ...]]


def migrations() -> list[str]:
    """Return the scripts of the schema, the first version first."""
    folder = files("headrace.eventlog") / "migrations" / "postgres"
    scripts = sorted((path for path in folder.iterdir() if path.name.endswith(".sql")), key=lambda path: path.name)
    return [path.read_text("utf-8") for path in scripts]


def connect(url: str, password: str, *, read_only: bool) -> Connection:
    """Connect to *url*, and bring its schema up to date, or (*read_only*) see that it is."""
    given = conninfo_to_dict(url)
    link = {name: value for name, value in LINK.items() if name not in given}
    place = make_conninfo(url, **link, **({"password": password} if password else {}))
    connection = psycopg.connect(place, connect_timeout=CONNECT_TIMEOUT, autocommit=True)
    try:
        postgres_text.teach(connection.adapters)
        connection.execute(
            "SELECT " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in _SETTINGS.items())
        )
        if read_only:
            connection.execute("SET default_transaction_read_only = on")
            _check_readable(connection, name_of(url))
        else:
            _migrate(connection, name_of(url))
    except BaseException:
        connection.close()
        raise
    return connection


def name_of(url: str) -> str:
    """Return what a person knows the store by; never a password."""
    parts = conninfo_to_dict(url)
    return f"PostgreSQL {parts.get('host') or 'localhost'}:{parts.get('port') or 5432}/{parts.get('dbname') or ''}"


def _migrate(connection: Connection, name: str) -> None:
    if _version(connection) == len(migrations()):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute("SET LOCAL statement_timeout = 0")  # an index over all that is stored takes its time
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
        version = _version(connection)
        _check_known(version, name)
        for script in migrations()[version:]:
            connection.execute(script)
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version VALUES (%s)", (len(migrations()),))


def _check_readable(connection: Connection, name: str) -> None:
    version = _version(connection)
    _check_known(version, name)
    if version == 0:
        raise StoreError(
            f"there is no event log in {name} yet: a worker (`headrace deliver`) whose routes lead to a destination of "
            f'type "eventlog" makes it'
        )
    if version < len(migrations()):
        raise StoreError(
            f"{name} has schema {version}, this Headrace reads {len(migrations())}: start `headrace deliver` once, "
            f"which brings it up to date"
        )


def _check_known(version: int, name: str) -> None:
    if version > len(migrations()):
        raise StoreError(
            f"{name} was written by a newer Headrace (schema {version}, this one knows {len(migrations())}): "
            f"upgrade this one, or let eventlog.url name another database"
        )


def exists(connection: Connection, table: str) -> bool:
    """Return whether there is *table*. `to_regclass` would answer what it knew when the transaction began."""
    found = connection.execute(
        "SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = %s",
        (SCHEMA, table),
    )
    return found.fetchone() is not None


def _version(connection: Connection) -> int:
    if not exists(connection, "schema_version"):
        return 0
    row = connection.execute(f"SELECT max(version) FROM {SCHEMA}.schema_version").fetchone()  # noqa: S608  a constant
    return int(row[0] or 0) if row else 0


def store_error(error: psycopg.Error, name: str) -> StoreError:
    """Say what *error* means for whoever runs the store called *name*."""
    text = " ".join(str(error).split())
    for kind, sentence in _SENTENCES:
        if isinstance(error, kind):
            return StoreError(f"{name} {sentence.format(error=text)}")
    return StoreError(f"{name} cannot be used ({text})")


_SENTENCES: tuple[tuple[type[psycopg.Error], str], ...] = (
    (errors.DiskFull, "has no room to grow: its disk is full; free some space, and what waits is stored"),
    (errors.OutOfMemory, "has no memory left ({error}): give it some, and what waits is stored"),
    (errors.TooManyConnections, "takes no more connections: raise its max_connections, or run fewer workers"),
    (errors.InsufficientPrivilege, "refuses it ({error}): grant the user of eventlog.url what is missing"),
    (errors.ReadOnlySqlTransaction, "cannot be written ({error}): let eventlog.url name the primary server"),
    (errors.LockNotAvailable, "is locked by another program for longer than it may be: end whatever holds the lock"),
    (errors.QueryCanceled, "did not answer in time ({error}): is it overloaded?"),
    (errors.ProgrammingError, "cannot be used ({error}): is its schema `headrace` as Headrace made it?"),
    (psycopg.OperationalError, "does not answer ({error}): is it running, and is eventlog.url right?"),
)
