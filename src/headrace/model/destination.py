"""A destination: one configured target that orgs' events are routed to."""

import msgspec


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """A name, the type of sink that writes to it, and that sink's own settings.

    *shared* says that all orgs form one lane at it (the event log), instead of one lane per org.
    """

    name: str
    type: str
    settings: msgspec.Struct
    shared: bool = False
