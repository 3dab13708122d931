"""Routes: from an org to the destinations of its events. Pure lookup, fixed once it is built."""

from collections.abc import Mapping, Sequence

from headrace.errors import ConfigError
from headrace.model.destination import Destination
from headrace.model.nearest import nearest
from headrace.wire.envelope import ORG

EVERY_ORG = "*"


class Routes:
    """The configured lines, with names resolved. An org's own line replaces that of `*`, even when it is empty."""

    def __init__(self, lines: Mapping[str, Sequence[str]], destinations: Mapping[str, Destination]) -> None:
        own = {org: _resolve(org, names, destinations) for org, names in lines.items()}
        self._others = own.pop(EVERY_ORG, ())
        self._own = own

    def of(self, org: str) -> tuple[Destination, ...]:
        """Return where the events of *org* go, in the order of its line; nothing when no line is for it."""
        return self._own.get(org, self._others)


def _resolve(org: str, names: Sequence[str], destinations: Mapping[str, Destination]) -> tuple[Destination, ...]:
    key = f'routes."{org}"'
    if org != EVERY_ORG and not ORG.fullmatch(org):
        raise ConfigError(f'{key} is no name of an org: letters, digits, "_", "." and "-", at most 64; or "*" for all')
    for name in names:
        if name not in destinations:
            raise ConfigError(
                f"{key} names the destination {name!r}, which is not there; {nearest(name, destinations)}"
            )
    if len(set(names)) < len(names):
        raise ConfigError(f"{key} names a destination twice, and each gets every event once; leave one out")
    return tuple(destinations[name] for name in names)
