"""One table of the configuration: checks its keys' names and makes the struct that a room declares."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

import msgspec

from headrace.errors import ConfigError
from headrace.model.nearest import nearest
from headrace.settings.keys import keys_of
from headrace.settings.values import Given, Surroundings, read

T = TypeVar("T", bound=msgspec.Struct)

DEFAULT = "default"
"""The origin of what nobody set."""


@runtime_checkable
class Placed(Protocol):
    """Settings that hold paths."""

    def relative_to(self, directory: Path) -> Self:
        """Return the same settings with relative paths read from *directory*."""
        ...


def read_table(
    path: str, declared: type[T], given: Mapping[str, Given], surroundings: Surroundings
) -> tuple[T, dict[str, str]]:
    """Make *declared* from what was *given* for its keys; return it, and per key's path where it was set.

    Raise `ConfigError` for an unknown key, a value that cannot be, and a key that is missing and has no default.
    """
    keys = {key.name: key for key in keys_of(declared)}
    check_names(path, given, keys)
    for key in keys.values():
        if key.is_required and key.name not in given:
            raise ConfigError(f"{path}.{key.name} is missing: {key.sentence}")
    values = {name: read(keys[name].declared, f"{path}.{name}", value, surroundings) for name, value in given.items()}
    origins = {f"{path}.{name}": given[name].origin if name in given else DEFAULT for name in keys}
    return _make(path, declared, values, origins, surroundings), origins


def check_names(path: str, given: Mapping[str, Given], known: Iterable[str]) -> None:
    """Raise `ConfigError` for the first name that is not *known*."""
    names = list(known)
    for name, value in given.items():
        if name not in names:
            raise ConfigError(f"{value.origin}: {path}.{name}: no such key; {nearest(name, names)}")


def _make(
    path: str, declared: type[T], values: Mapping[str, Any], origins: Mapping[str, str], surroundings: Surroundings
) -> T:
    try:
        settings = declared(**values)
        return settings.relative_to(surroundings.directory) if isinstance(settings, Placed) else settings
    except (ValueError, ConfigError) as error:
        # A room's own check, whose sentence begins with the key.
        sentence = str(error)
        at = sentence if sentence.startswith(f"{path}.") else f"{path}.{sentence}"
        origin = origins.get(at.split(" ", 1)[0].rstrip(":,"), DEFAULT)
        raise ConfigError(at if origin == DEFAULT else f"{origin}: {at}") from None
