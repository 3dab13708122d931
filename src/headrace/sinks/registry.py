"""The types of sinks, by name. The registry is a value: `app` puts it together, nothing registers itself."""

from collections.abc import Callable, Iterable

import msgspec

from headrace.errors import ConfigError
from headrace.model.destination import Destination
from headrace.model.nearest import nearest
from headrace.sinks.port import Sink

PLANNED = frozenset({"postgres", "salesforce"})
"""Types that the design names and this version does not have."""

MakeSink = Callable[[Destination, float], Sink]
"""Makes the sink of one destination, which gives up a post after so many seconds.

It does no I/O, and raises `ConfigError` when the destination's settings cannot work.
"""


class SinkType(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one type of sink: its settings, how to make one, and whether all orgs form one lane at it."""

    name: str
    settings: type[msgspec.Struct]
    make: MakeSink
    shared: bool = False


class Registry:
    """The sink types that there are."""

    def __init__(self, types: Iterable[SinkType]) -> None:
        self._types = {each.name: each for each in types}

    def type_named(self, name: str) -> SinkType:
        """Return the type *name*; raise `ConfigError` with the nearest known name when there is none."""
        found = self._types.get(name)
        if found is not None:
            return found
        known = f"known: {', '.join(sorted(self._types))}"
        if name in PLANNED:
            raise ConfigError(f"type = {name!r} is planned, and not in this version; {known}")
        raise ConfigError(f"type = {name!r} is no type of destination; {nearest(name, self._types)}")

    def make(self, destination: Destination, timeout: float) -> Sink:
        """Make the sink of *destination*; its `ConfigError` names the destination."""
        try:
            return self.type_named(destination.type).make(destination, timeout)
        except ConfigError as error:
            raise ConfigError(f"destinations.{destination.name}: {error}") from None
