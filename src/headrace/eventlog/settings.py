"""Where the event log is."""

from pathlib import Path
from typing import Annotated, Self

import msgspec

from headrace.errors import ConfigError

_SQLITE = "sqlite:///"


class EventlogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The event log's place, for the destinations of type `eventlog` and for `headrace log`."""

    url: Annotated[
        str,
        msgspec.Meta(description="Where the event log is: sqlite:/// and a path, which is made when it is not there."),
    ] = "sqlite:///.headrace/eventlog.db"

    def relative_to(self, directory: Path) -> Self:
        """Return the same settings with a relative path read from *directory*, where the configuration stands."""
        return msgspec.structs.replace(self, url=f"{_SQLITE}{directory / self.path()}")

    def path(self) -> Path:
        """Return the SQLite file; raise `ConfigError` when `url` names none."""
        if self.url.startswith(("postgresql:", "postgres:")):
            raise ConfigError(
                f"eventlog.url: PostgreSQL is planned, and not in this version; write {_SQLITE} and a path"
            )
        name = self.url.removeprefix(_SQLITE)
        if not self.url.startswith(_SQLITE) or name in {"", ":memory:"} or "\0" in name:
            # The url itself is not repeated: one of another kind may hold a password.
            raise ConfigError(f"eventlog.url: it names no SQLite file; write {_SQLITE} and a path")
        return Path(name)
