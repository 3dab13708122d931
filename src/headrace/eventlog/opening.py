"""Makes the event log that the settings name."""

from headrace.clock import Clock
from headrace.eventlog.port import EventLog
from headrace.eventlog.settings import EventlogSettings
from headrace.eventlog.sqlite import SqliteEventLog


def open_event_log(settings: EventlogSettings, clock: Clock, *, read_only: bool = False) -> EventLog:
    """Return the event log at `settings.url`; raise `ConfigError` when that is no place for one.

    It does no I/O before it is used; then a *read_only* one raises `StoreError` when there is none yet.
    """
    return SqliteEventLog(settings.path(), clock, read_only=read_only)
