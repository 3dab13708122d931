"""A batch: the events that go to one destination in one post."""

from collections.abc import Sequence

import msgspec

from headrace.model.destination import Destination


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What a sink is given. *ids* and *values* run in parallel; values are CloudEvents as the bot wrote them.

    *org* is `*` for a destination that all orgs share; *orgs* then says whose each event is.
    """

    destination: Destination
    org: str
    ids: Sequence[str]
    values: Sequence[bytes]
    orgs: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.ids)
