"""Where the event log is, and how long it keeps events."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import unquote, urlsplit

import msgspec

from headrace.errors import ConfigError
from headrace.model.secret import Secret
from headrace.model.units import Duration

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


class EventlogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The event log, for the destinations of type `eventlog`, for `headrace log` and for the console."""

    url: Annotated[
        str,
        msgspec.Meta(
            description="Where the event log is: sqlite:/// and a path, which is made when it is not there, or "
            "postgresql://user@host:port/database."
        ),
    ] = "sqlite:///.headrace/eventlog.db"
    password: Annotated[Secret, msgspec.Meta(description="The password for PostgreSQL, where the url names none.")] = (
        msgspec.field(default_factory=lambda: Secret(""))
    )
    retention: Annotated[
        Duration, msgspec.Meta(description="How long events are kept, in whole days; 0s keeps them for ever.")
    ] = Duration(30 * 86_400)

    @property
    def is_postgres(self) -> bool:
        """Whether the event log is in PostgreSQL."""
        return self.url.startswith(_POSTGRES)

    def relative_to(self, directory: Path) -> Self:
        """Return the same settings with a relative path read from *directory*, where the configuration stands.

        A password in the url becomes `password`, so that whoever shows the url does not show it.
        """
        if self.is_postgres:
            return self._with_password_apart()
        return msgspec.structs.replace(self, url=f"{_SQLITE}{directory / self.path()}")

    def path(self) -> Path:
        """Return the SQLite file; raise `ConfigError` when `url` names none."""
        name = self.url.removeprefix(_SQLITE)
        if not self.url.startswith(_SQLITE) or name in {"", ":memory:"} or "\0" in name:
            # The url itself is not repeated: it may hold a password.
            raise ConfigError(
                f"eventlog.url: it names no event log; write {_SQLITE} and a path, or {_POSTGRES[0]}user@host/database"
            )
        return Path(name)

    def _with_password_apart(self) -> Self:
        parts = urlsplit(self.url)
        if parts.password is None:
            return self
        user, _, host = parts.netloc.rpartition("@")
        url = parts._replace(netloc=f"{user.partition(':')[0]}@{host}").geturl()
        return msgspec.structs.replace(self, url=url, password=self.password or Secret(unquote(parts.password)))
