"""The configured destinations, by name."""

import re
from collections.abc import Iterable

from headrace.errors import ConfigError
from headrace.model.destination import Destination

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def by_name(destinations: Iterable[Destination]) -> dict[str, Destination]:
    """Index *destinations*; raise `ConfigError` for a name that comes twice, or that no header can carry."""
    index: dict[str, Destination] = {}
    for destination in destinations:
        name = destination.name
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f'destinations.{name!r} is no name of a destination: letters, digits, "_", "." and "-", at most 64'
            )
        if name in index:
            raise ConfigError(f"destinations.{name} is there twice; give one of them another name")
        index[name] = destination
    return index
