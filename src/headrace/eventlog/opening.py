"""Makes the event log that the settings name."""

from typing import Protocol

from headrace.clock import Clock
from headrace.eventlog.graphs import Graphs
from headrace.eventlog.pages import Pages
from headrace.eventlog.port import EventLog
from headrace.eventlog.settings import EventlogSettings
from headrace.eventlog.sqlite import SqliteEventLog
from headrace.eventlog.trail import Trail
from headrace.eventlog.upkeep import Upkeep


class Store(EventLog, Pages, Upkeep, Graphs, Trail, Protocol):
    """All that an event log can do. One object serves one thread at a time; open one for each."""


def open_event_log(settings: EventlogSettings, clock: Clock, *, read_only: bool = False) -> Store:
    """Return the event log at `settings.url`; raise `ConfigError` when that is no place for one.

    It does no I/O before it is used; then a *read_only* one raises `StoreError` when there is none yet.
    """
    if settings.is_postgres:
        from headrace.eventlog.postgres import PostgresEventLog  # noqa: PLC0415  its client takes a while to import

        return PostgresEventLog(settings.url, clock, password=settings.password, read_only=read_only)
    return SqliteEventLog(settings.path(), clock, read_only=read_only)
