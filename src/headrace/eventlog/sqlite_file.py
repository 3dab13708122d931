"""Opens the file of the embedded event log: migrations, settings of SQLite, and what its failures mean."""

import sqlite3
from importlib.resources import files
from pathlib import Path

from headrace.errors import StoreError
from headrace.eventlog.sqlite_tables import SqliteTables

APPLICATION_ID = 0x68726C67
"""Marks the file as an event log of Headrace ("hrlg")."""

PAGES = 2
"""The version of the schema since which sessions and exceptions are told when events are stored."""

BUSY_TIMEOUT = 5.0
"""Seconds that SQLite waits for a lock of some other program; our own writers take turns before they ask."""

FORGET_TIMEOUT = 0.5
"""Seconds that who erases waits for those who read."""

# 8 KiB holds eleven usual events with little left over, and a trickle of events still writes little. FULL makes a
# commit wait for the disk: a delivered event survives a power cut, at a tenth of the speed.
_TUNING = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -32768;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA secure_delete = ON;
"""
_PAGE_SIZE = "PRAGMA page_size = 8192"
_READING = "PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;"


class OlderError(StoreError):
    """There is no event log yet, or one of an older version."""


def migrations() -> list[str]:
    """Return the scripts of the schema, the first version first."""
    scripts = [
        path for path in (files("headrace.eventlog") / "migrations" / "sqlite").iterdir() if path.name.endswith(".sql")
    ]
    return [path.read_text("utf-8") for path in sorted(scripts, key=lambda path: path.name)]


def connect(path: Path) -> sqlite3.Connection:
    """Open *path* to write, making it and bringing its schema up to date. The caller holds the writers' lock."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        version = _version(connection, path)
        if version == 0:
            connection.execute(_PAGE_SIZE)
        connection.executescript(_TUNING)
        for number, script in enumerate(migrations()[version:], start=version + 1):
            mark = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number};"
            connection.executescript(f"BEGIN IMMEDIATE; {script} {mark}")
            if number == PAGES:
                SqliteTables(connection).refold()
            connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open *path* for queries only; it works beside writers, and waits for none of them."""
    if not path.exists():
        raise OlderError(
            f"there is no event log at {path} yet: a worker (`headrace deliver`) whose routes lead to a destination of "
            f'type "eventlog" makes it'
        )
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        _check_readable(_version(connection, path), path)
        connection.executescript(_READING)
    except BaseException:
        connection.close()
        raise
    return connection


def is_readable(path: Path) -> bool:
    """Return whether there is an event log of this version at *path*; raise `StoreError` when it cannot be ours."""
    try:
        connect_to_read(path).close()
    except OlderError:
        return False
    return True


def forget_erased(connection: sqlite3.Connection) -> bool:
    """Leave nothing of what was just deleted in the write-ahead log; free pages are overwritten as they are freed.

    Return whether that was possible: whoever reads an older state prevents it.
    """
    # Other writers stand still while this waits.
    connection.execute(f"PRAGMA busy_timeout = {round(FORGET_TIMEOUT * 1000)}")
    try:
        ((is_busy, _, _),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT * 1000)}")
    return not is_busy


def _check_readable(version: int, path: Path) -> None:
    if version < len(migrations()):
        raise OlderError(
            f"{path} has schema {version}, this Headrace reads {len(migrations())}: start `headrace deliver` once, "
            f"which brings it up to date"
        )


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema's version, 0 for an empty file; raise `StoreError` when it cannot be ours to use."""
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    is_empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if is_empty and version == 0:
        return 0
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is the database of another program: let eventlog.url name another file")
    if version > len(migrations()):
        raise StoreError(
            f"{path} was written by a newer Headrace (schema {version}, this one knows {len(migrations())}): "
            f"upgrade this one, or let eventlog.url name another file"
        )
    return version


def store_error(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    """Say what *error* means for whoever runs the store at *path*."""
    if isinstance(error, OSError):
        return StoreError(f"{path} cannot be used ({error.strerror or error}): check its directory and permissions")
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    sentence = _SENTENCES.get(code, "cannot be used ({error})").format(error=error)
    return StoreError(f"{path} {sentence}")


_DAMAGED = (
    "is damaged ({error}): stop the workers and move it away, so that a new one is made; "
    "`sqlite3 FILE .recover` saves what can be read"
)
_DENIED = "cannot be written ({error}): check the permissions of the file and of its directory"

_SENTENCES = {
    sqlite3.SQLITE_FULL: "has no room to grow: the disk is full; free some space, and what waits is stored",
    sqlite3.SQLITE_IOERR: "cannot be read or written ({error}): is its disk full, failing or gone?",
    sqlite3.SQLITE_BUSY: "is locked by another program for longer than it may be: end whatever keeps it open",
    sqlite3.SQLITE_LOCKED: "is locked by another program for longer than it may be: end whatever keeps it open",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_READONLY: _DENIED,
    sqlite3.SQLITE_CANTOPEN: _DENIED,
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_AUTH: _DENIED,
}
